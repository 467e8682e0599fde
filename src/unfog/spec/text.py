"""What a model of text is, in plain values, and how it likes to write."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from unfog.config import nearest
from unfog.errors import SampleError
from unfog.spec.parts import lookup

TASKS = ("write", "summarize")


@dataclass(frozen=True)
class Writing:
    """How to write; a model carries the settings that suit it.

    Attributes:
        sampler: a name of ``TOKEN_SAMPLERS``.
        steps: steps for a whole canvas; for each block of tokens in it, where the model has blocks.
        temperature: 1 is the model's own law, below 1 is more careful, 0 always takes the most likely token.
        top_p: draw among the most likely tokens that together have this probability; 1 is all.
        guidance: towards the label, for models with classes; 1 is off.
        no_repeat: no run of so many tokens is written twice; 0 is the model's own law.
        options: of the sampler, by name, e.g. {"tau": 0.9}.
    """

    sampler: str = "ancestral"
    steps: int = 32
    temperature: float = 1.0
    top_p: float = 1.0
    guidance: float = 1.0
    no_repeat: int = 0
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TextSpec:
    """Everything about a model of text but its weights and its tokens; plain values only.

    Attributes:
        recipe: "language".
        network: kind and options of the network.
        process: how tokens are lost: {"kind": "masked" or "uniform", "keep": a name of ``KEEPS``}.
        context: tokens that it sees at once.
        tokens: SHA-256 of ``tokens.json``, the vocabulary.
        tasks: what it was trained for: "write" (also to complete and infill), "summarize".
        packed: whether it learned from windows that cut documents, instead of whole documents.
        room: tokens kept for a summary behind its source; 0 without pairs.
        once: the shortest run of tokens that seldom stands twice in a summary; 0 if that is not known.
        classes: names of the classes, empty for none.
        sampling: default settings.
    """

    recipe: str
    network: dict[str, Any]
    process: dict[str, Any]
    context: int
    tokens: str
    tasks: tuple[str, ...] = ("write",)
    packed: bool = False
    room: int = 0
    once: int = 0
    classes: tuple[str, ...] = ()
    sampling: Writing = field(default_factory=Writing)


def choose_writing(writing: Writing, changes: Mapping[str, Any], samplers: Mapping[str, type]) -> Writing:
    """Settings with some changed; what is no field of ``Writing`` is an option of the sampler.

    Raises:
        SampleError: if there is no such setting or sampler, or a value does not fit.
    """
    known = {f.name for f in fields(Writing)}
    if not isinstance(changes.get("options", {}), Mapping):
        raise SampleError(
            f"options={changes['options']}: give settings of the sampler by their names, e.g. --set tau=0.8."
        )
    chosen = replace(writing, **{name: value for name, value in changes.items() if name in known})
    kind = lookup(dict(samplers), chosen.sampler, "sampler of text")
    own = {f.name: f.default for f in fields(kind) if f.name not in known}
    options = dict(chosen.options) if chosen.sampler == writing.sampler or "options" in changes else {}
    options |= {name: value for name, value in changes.items() if name not in known}
    for name, value in options.items():
        if name not in own:
            raise SampleError(
                f"The sampler {chosen.sampler!r} has no setting {name!r}. {nearest(name, {*known, *own})}"
            )
        fits = type(value) in (int, float) and 0 <= value < math.inf
        if isinstance(own[name], int | float) and not fits:
            raise SampleError(f"{name}={value}: give a number of 0 or more, e.g. {name}={own[name]:g}.")
    check_writing(chosen)
    return replace(chosen, options=options)


def check_writing(writing: Writing) -> None:
    """Refuse settings that no sampler can follow.

    Raises:
        SampleError: saying what fits.
    """
    if type(writing.steps) is not int or writing.steps < 1:
        raise SampleError(f"{writing.steps} steps: writing needs at least one. Try --steps 32.")
    if type(writing.no_repeat) is not int or writing.no_repeat < 0:
        raise SampleError(f"no_repeat={writing.no_repeat}: give a whole number of tokens, e.g. 2; 0 is off.")
    for name in ("temperature", "top_p", "guidance"):
        value = getattr(writing, name)
        if type(value) not in (int, float):
            raise SampleError(f"{name}={value}: give a number, e.g. {name}={getattr(Writing, name):g}.")
    if not math.isfinite(writing.guidance):
        raise SampleError(f"A guidance of {writing.guidance}: give a number, 1 is off, usually 1 to 4.")
    if not 0 <= writing.temperature <= 10:
        raise SampleError(f"A temperature of {writing.temperature}: give 0 (most likely) to 10, usually 1.")
    if not 0 < writing.top_p <= 1:
        raise SampleError(f"top_p = {writing.top_p}: give a probability above 0, at most 1.")
