"""What a model is, in plain values: everything but its weights, as ``model.json`` holds it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from unfog.config import nearest
from unfog.errors import ModelError, SampleError

FORMAT = 2  # of the model folder; newer ones are refused, older ones are read (see ``model.load``)


@dataclass(frozen=True)
class Sampling:
    """How to sample; a model carries the settings that suit it.

    Attributes:
        sampler: a name of ``SAMPLERS``.
        steps: steps, which is network calls for most samplers.
        grid: a name of ``GRIDS``.
        start, end: noise levels (sigma / alpha) between which the grid runs.
        guidance: 1 is off.
        guidance_low, guidance_high: noise levels between which guidance acts.
        threshold: "static", "dynamic" or "none".
        options: of the sampler, by name, e.g. {"eta": 0.5}.
        levels: noise levels of the grid "optimised", one for each step.
    """

    sampler: str = "dpm++2m"
    steps: int = 12
    grid: str = "karras"
    start: float = 80.0
    end: float = 0.02
    guidance: float = 1.0
    guidance_low: float = 0.0
    guidance_high: float = 1e9
    threshold: str = "static"
    options: dict[str, Any] = field(default_factory=dict)
    levels: tuple[float, ...] = ()


@dataclass(frozen=True)
class Spec:
    """Everything about a model but its weights; plain values only.

    Attributes:
        recipe: what it is for: "image", ...
        network: kind and options of the network, e.g. {"kind": "unet", "widths": [32, 64]}.
        schedule: kind and options of the schedule.
        target: what the network predicts, a name of ``TARGETS``.
        statistics: of the training pictures, as ``PixelStatistics.to_dict``.
        classes: names of the classes, empty for none.
        groups: the class of each group of look-alikes, -1 without classes. The network is steered by groups:
            with one group for each class, groups are classes; without any, it is not steered.
        shares: the share of each group in the training pictures.
        sampling: default settings.
        learned: what ``unfog steps`` fitted to this model: by number of steps, fields of ``Sampling``.
    """

    recipe: str
    network: dict[str, Any]
    schedule: dict[str, Any]
    target: str
    statistics: dict[str, Any]
    classes: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    shares: tuple[float, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    learned: dict[str, dict[str, Any]] = field(default_factory=dict)


def lookup(table: dict[str, Any], name: str, what: str) -> Any:
    """The entry of a table, or an error that names the nearest one.

    Raises:
        SampleError: if there is no such entry.
    """
    if name not in table:
        raise SampleError(f"There is no {what} {name!r}. {nearest(name, table)}")
    return table[name]


def choose(sampling: Sampling, changes: dict[str, Any], samplers: dict[str, Any]) -> Sampling:
    """Sampling settings with some changed; what is no field of ``Sampling`` is an option of the sampler.

    Options belong to their sampler: with another one they fall back to its own defaults.

    Raises:
        SampleError: if there is no such setting or sampler, or an option is no number.
    """
    known = {f.name for f in fields(Sampling)}
    chosen = replace(sampling, **{name: value for name, value in changes.items() if name in known})
    kind = lookup(samplers, chosen.sampler, "sampler")
    own = {f.name: f.default for f in fields(kind)}
    options = dict(chosen.options) if chosen.sampler == sampling.sampler or "options" in changes else {}
    options |= {name: value for name, value in changes.items() if name not in known}
    for name, value in options.items():
        if name not in own:
            raise SampleError(
                f"The sampler {chosen.sampler!r} has no setting {name!r}. {nearest(name, {*known, *own})}"
            )
        if isinstance(own[name], int | float) and (type(value) not in (int, float) or value < 0):
            raise SampleError(f"{name}={value}: give a number of 0 or more, e.g. {name}={own[name]:g}.")
    return replace(chosen, options=options, levels=tuple(chosen.levels))


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
