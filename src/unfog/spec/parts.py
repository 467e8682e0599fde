"""What all descriptions of models share: the file, its format, and parts made from plain options."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from unfog.config import nearest
from unfog.errors import ModelError, SampleError

FORMAT = 2  # of the model folder; newer ones are refused, older ones are read (see ``model.load``)


def lookup(table: dict[str, Any], name: str, what: str) -> Any:
    """The entry of a table, or an error that names the nearest one.

    Raises:
        SampleError: if there is no such entry.
    """
    if name not in table:
        raise SampleError(f"There is no {what} {name!r}. {nearest(name, table)}")
    return table[name]


def build_part(kind: type[Any], options: dict[str, Any], what: str) -> Any:
    """An object of a dataclass from plain options.

    Raises:
        ModelError: if an option is unknown, or a value does not fit.
    """
    known = {f.name for f in fields(kind)}
    for name in options:
        if name not in known:
            raise ModelError(f"The {what} has no setting {name!r}. {nearest(name, known)}")
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in options.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ModelError(f"The {what} cannot be built from {options}: {error}.") from error


def describe(folder: Path) -> dict[str, Any]:
    """What ``model.json`` of a model folder says, checked for its format.

    Raises:
        ModelError: if it is missing, not JSON, or of a newer format.
    """
    path = folder / "model.json"
    try:
        description = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder} holds no model.json: give the 'model' folder that a run left.") from None
    except OSError as error:
        raise ModelError(f"Cannot read {path}: {error.strerror}.") from error
    except ValueError as error:
        raise ModelError(f"{path} is damaged ({error}). Restore it from a copy, or train again.") from error
    if not isinstance(description, dict) or not isinstance(description.get("format"), int):
        raise ModelError(f"{path} does not describe an unfog model.")
    if description["format"] > FORMAT:
        raise ModelError(
            f"{folder} has format {description['format']}, this unfog reads up to {FORMAT}. "
            "Update with: pip install -U unfog"
        )
    return description
