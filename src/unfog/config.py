"""Settings <-> files and command lines. A wrong key is answered with the nearest right one."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from unfog.errors import ConfigError


class Config(BaseModel):
    """Base of all settings: immutable, and without room for unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


AnyConfig = TypeVar("AnyConfig", bound=Config)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a name that does not exist: the nearest known one, or all of them.

    Returns:
        ``"Did you mean 'depth'?"`` or ``"Known: depth, widths."``.
    """
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."


def parse(kind: type[AnyConfig], values: dict[str, Any], origin: str) -> AnyConfig:
    """Build settings from plain values.

    Args:
        kind: the settings class.
        values: nested dictionaries.
        origin: where they came from, for messages.

    Raises:
        ConfigError: for the first unknown key or bad value.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            hint = nearest(str(first["loc"][-1]), _keys_at(kind, first["loc"][:-1]))
            raise ConfigError(f"{origin}: unknown setting {place!r}. {hint}") from None
        raise ConfigError(f"{origin}: {place} = {first['input']!r} is not usable: {first['msg']}.") from None


def _keys_at(kind: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    for part in path:
        annotation = kind.model_fields[str(part)].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            kind = annotation
    return list(kind.model_fields)


def read(kind: type[AnyConfig], path: Path) -> AnyConfig:
    """Settings from a TOML file.

    Raises:
        ConfigError: if the file is missing, is not TOML, or holds unknown keys.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}. Give the folder of a run.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    return parse(kind, values, str(path))


def to_toml(config: Config) -> str:
    """Settings as TOML; what is not set is left out."""
    import tomli_w

    return tomli_w.dumps(config.model_dump(mode="json", exclude_none=True))


def override(values: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Apply ``a.b=c`` settings of a command line to nested values, in place.

    The part after = is read as JSON where it is JSON (3, true, [32, 64]), else as text.

    Raises:
        ConfigError: if a setting has no =, or goes below a plain value.
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {setting}: write it as name=value, e.g. --set train.batch=32.")
        *path, last = key.strip().split(".")
        place = values
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ConfigError(f"--set {setting}: {part!r} is a value, it has nothing inside.")
        try:
            place[last] = json.loads(text)
        except json.JSONDecodeError:
            place[last] = text
    return values
