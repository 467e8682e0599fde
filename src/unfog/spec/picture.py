"""What a model of pictures is, in plain values, and the choice of how it samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from unfog.config import nearest
from unfog.data.buckets import nearest_shape
from unfog.errors import SampleError
from unfog.rng import derive_seed
from unfog.spec.parts import lookup


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
        guidance_kind: "plain", or "apg" for projected guidance.
        guidance_rescale: how far guidance keeps the contrast of the estimate, 0 is off, 1 is wholly.
        apg_eta, apg_norm, apg_momentum: of projected guidance, see ``guide.projection``.
        autoguidance: away from the model's own early weights; 1 is off.
        loss_scale: of a loss or classifier that guides; 0 is off, 1 is Bayes' rule.
        loss_slope: "network" differentiates through it, "straight" does not.
        classifier: name in the cache of the classifier that guides; empty for none.
        threshold: "static", "dynamic" or "none".
        options: of the sampler, by name, e.g. {"eta": 0.5}.
        levels: noise levels of the grid "optimised", one for each step.
        aspect: shape of the pictures, "3:2" is wider than high; the nearest that the model learned is drawn.
            Empty for squares.
    """

    sampler: str = "dpm++2m"
    steps: int = 12
    grid: str = "karras"
    start: float = 80.0
    end: float = 0.02
    guidance: float = 1.0
    guidance_low: float = 0.0
    guidance_high: float = 1e9
    guidance_kind: str = "plain"
    guidance_rescale: float = 0.0
    apg_eta: float = 0.0
    apg_norm: float = 1e9
    apg_momentum: float = 0.0
    autoguidance: float = 1.0
    loss_scale: float = 1.0
    loss_slope: str = "network"
    classifier: str = ""
    threshold: str = "static"
    options: dict[str, Any] = field(default_factory=dict)
    levels: tuple[float, ...] = ()
    aspect: str = ""


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
        text: how it reads prompts: "language" (a name, see ``open_language``, or "own"), its "fingerprint",
            "states" and "longest", "tokens" (hash of its own), and "encoder", options of the text encoder;
            empty where it reads none.
        examples: prompts that it shows itself with.
        latent: the learned codec it works in; empty for pixels. Its parts are "autoencoder", "tiny" and
            "latents" (see ``CodecSpec``), and "codec", the fingerprint it had as a model of its own.
        pairs: the pair model from whose visual words it draws; empty where it does not. "model" is what that
            is (see ``PairSpec``), and "fingerprint" the one it had as a model of its own.
        shapes: heights and widths in pixels that it learned, beside the square; empty if only that.
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
    text: dict[str, Any] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    latent: dict[str, Any] = field(default_factory=dict)
    pairs: dict[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, int], ...] = ()

    def shape_of(self, aspect: str, square: tuple[int, int]) -> tuple[int, int]:
        """Height and width of pictures of an aspect, "3:2"; ``square`` where none is asked for.

        Raises:
            SampleError: if it is no ratio, or the model learned squares only.
        """
        if not aspect:
            return square
        sides = re.fullmatch(r"(\d+(?:\.\d+)?)[:x](\d+(?:\.\d+)?)", str(aspect))
        if sides is None or not float(sides[1]) or not float(sides[2]):
            raise SampleError(f"aspect={aspect}: give width to height, e.g. 3:2.")
        if not self.shapes:
            raise SampleError(
                "This model learned squares only, so leave aspect out. One that learns other shapes: "
                "unfog train image --data DATA --set data.buckets=true"
            )
        shapes = (square, *self.shapes)
        return shapes[nearest_shape(float(sides[2]), float(sides[1]), shapes)]


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


def with_learned(chosen: Sampling, learned: dict[str, dict[str, Any]]) -> Sampling:
    """The same with what ``unfog steps`` learned for this number of steps, where that is asked for.

    Raises:
        SampleError: if nothing was learned for it.
    """
    found = learned.get(str(chosen.steps), {})
    if chosen.grid == "optimised" and len(chosen.levels) != chosen.steps:
        chosen = replace(chosen, levels=tuple(found.get("levels", ())))
    if chosen.sampler == "learned" and "corrections" not in chosen.options:
        if not found:
            counts = ", ".join(learned) or "none yet"
            raise SampleError(
                f"Nothing was learned for {chosen.steps} steps of this model ({counts}). "
                f"Learn it: unfog steps MODEL --optimise {chosen.steps}"
            )
        chosen = replace(chosen, grid="optimised", levels=tuple(found["levels"]), options=found["options"])
    return chosen


def begun(sampling: Sampling, strength: float) -> Sampling:
    """Settings that begin on the way, at a picture under noise (SDEdit; Meng et al. 2021, arXiv 2108.01073).

    Args:
        sampling: from noise alone.
        strength: 1 begins where noise hides everything; 0 at the lowest noise level, where nothing
            changes; between them noise grows by equal factors.

    Raises:
        SampleError: ``strength`` is not from 0 to 1, or the sampler was learned for another way.
    """
    if not 0 <= strength <= 1:
        raise SampleError(f"--strength {strength:g}: give a number from 0 (as it is) to 1 (drawn anew).")
    if strength == 1:
        return sampling
    if sampling.sampler == "learned":
        raise SampleError("The sampler 'learned' knows the whole way only: add --sampler dpm++2m.")
    start = sampling.end * max(1.02, (sampling.start / sampling.end) ** strength)
    grid = "karras" if sampling.grid == "optimised" else sampling.grid
    return replace(sampling, start=start, grid=grid, levels=())


def check_grid(sampling: Sampling) -> None:
    """Refuse steps and noise levels that make no time grid.

    Raises:
        SampleError: saying what fits.
    """
    if not isinstance(sampling.steps, int) or sampling.steps < 1:
        raise SampleError(f"{sampling.steps} steps: sampling needs at least one. Try --steps 12.")
    if not 0 < sampling.end < sampling.start:
        raise SampleError(
            f"Noise levels from {sampling.start:g} down to {sampling.end:g}: start must be above end, "
            "and both above 0. Try 80 and 0.02."
        )


def class_index(classes: Sequence[str], label: str | int, otherwise: str = "") -> int:
    """The number of a class, by name or number.

    Args:
        classes: their names.
        label: one of them, or its number.
        otherwise: what else could be done where there are no classes, in words.

    Raises:
        SampleError: naming the nearest class.
    """
    if not classes:
        raise SampleError(f"This model was trained without classes: leave --label out{otherwise}.")
    text = str(label)
    if text in classes:
        return list(classes).index(text)
    if text.isdecimal() and int(text) < len(classes):
        return int(text)
    raise SampleError(f"There is no label {text!r} in this model. {nearest(text, classes)}")


def choose_labels(
    classes: Sequence[str],
    n: int,
    label: str | int | Sequence[str | int] | None = None,
    otherwise: str = "",
) -> list[int] | None:
    """One class number for each of n pictures or texts; None without classes.

    Args:
        classes: their names.
        n: how many.
        label: a class for all, or one for each; classes take turns when left out.
        otherwise: see ``class_index``.

    Raises:
        SampleError: if a label does not exist, or their number is not n.
    """
    if n < 1:
        raise SampleError(f"{n} examples: ask for at least one, -n 8.")
    if label is None:
        return [i % len(classes) for i in range(n)] if classes else None
    if isinstance(label, str | int):
        return [class_index(classes, label, otherwise)] * n
    if len(label) != n:
        raise SampleError(f"{len(label)} labels for {n} examples: give one, or one for each.")
    return [class_index(classes, each, otherwise) for each in label]


def choose_groups(spec: Spec, indices: Sequence[int], labels: Sequence[int] | None, seed: int) -> list[int]:
    """A group of look-alikes for each picture, as often as in the training pictures of its class.

    Args:
        spec: of the model.
        indices: numbers of the pictures in the request of this seed; the choice depends on nothing else.
        labels: one class number each; None for any.
        seed: of the request.
    """
    chosen = []
    for place, index in enumerate(indices):
        wanted = None if labels is None else labels[place]
        fitting = [g for g, c in enumerate(spec.groups) if wanted is None or c == wanted]
        shares = np.cumsum([spec.shares[g] for g in fitting])
        coin = np.random.default_rng(derive_seed(seed, "group", index)).random() * shares[-1]
        chosen.append(fitting[min(int(np.searchsorted(shares, coin, side="right")), len(fitting) - 1)])
    return chosen
