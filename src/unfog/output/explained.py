"""What the page of ``unfog explain`` shows, as plain values.

All pictures are uint8, (H, W, C) with C 1 or 3, and more axes in front where there are several. A picture
that noise has made too bright for a screen is shown at the contrast of the clean one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unfog.output.facts import Backward, Forward
from unfog.output.provenance import Picture, Provenance

Floats = NDArray[np.float64]


@dataclass(kw_only=True)
class Curves:
    """A schedule over time.

    Attributes:
        t: times in 0..1, (N,).
        alpha: what is left of the data, (N,).
        sigma: how much noise there is, (N,).
        log_ratio: the clock log(alpha / sigma), (N,); may be infinite.
    """

    t: Floats
    alpha: Floats
    sigma: Floats
    log_ratio: Floats


@dataclass(kw_only=True)
class Reading:
    """One of the four readings of the same process, at the noise level that all share.

    Attributes:
        name: "ddpm", "sgm", "sde" or "flow".
        t: its time there.
        alpha: its signal scale there.
        sigma: its noise scale there.
        as_is: x_t on the screen without any scaling.
        scaled: x_t / sqrt(alpha^2 + sigma^2).
        difference: the greatest difference of ``scaled`` from that of the first reading, in standard
            deviations of the data.
        sizes: root mean square of what a network could predict: "noise", "score", "clean", "velocity".
        asked: which of these this reading trains its network for.
        recovered: the greatest difference between the clean estimate and the one computed back from
            ``asked``.
    """

    name: str
    t: float
    alpha: float
    sigma: float
    as_is: Picture
    scaled: Picture
    difference: float
    sizes: Mapping[str, float]
    asked: str
    recovered: float


@dataclass(kw_only=True)
class Wandering:
    """One pixel on its way by the stochastic equation, simulated.

    Attributes:
        drift: f at the noise level that the readings share.
        diffusion: g there.
        t: times of the paths, (T,).
        paths: values of the pixel along some of them, (P, T).
        band: mean, lower and upper bound that the formula gives, (3, T).
        walked: mean and standard deviation of many simulated paths at that noise level.
        formula: the same by the formula.
        walkers: how many paths those are.
    """

    drift: float
    diffusion: float
    t: Floats
    paths: Floats
    band: Floats
    walked: tuple[float, float]
    formula: tuple[float, float]
    walkers: int


@dataclass(kw_only=True)
class Readings:
    """One process, four readings.

    Attributes:
        rows: the readings, the chain first.
        decibels: the signal-to-noise ratio that they share.
        step: how many steps the chain took.
        steps: how many the whole chain has.
        betas: the first and the last beta of the chain.
        chain_std: standard deviation of the noise that those steps added up to; 1 is expected.
        ladder: pictures on the rungs of the ladder of noise levels, (R, H, W, C).
        rungs: sigma of each, (R,).
        quantities: "noise", "score", "clean" and "velocity" of the last reading as pictures.
        wander: one pixel by the SDE.
    """

    rows: Sequence[Reading]
    decibels: float
    step: int
    steps: int
    betas: tuple[float, float]
    chain_std: float
    ladder: Picture
    rungs: Sequence[float]
    quantities: Mapping[str, Picture]
    wander: Wandering


@dataclass(kw_only=True)
class Field:
    """The score of a plane distribution at one noise level, in coordinates x_t / alpha.

    Attributes:
        level: noise level sigma / alpha.
        points: noisy data, (N, 2).
        places: where arrows start, (M, 2).
        arrows: sigma times the score there, (M, 2): of length about 1 far from the data.
    """

    level: float
    points: Floats
    places: Floats
    arrows: Floats


@dataclass(kw_only=True)
class Toy:
    """A distribution in the plane whose score is known exactly.

    Attributes:
        data: points of it, (N, 2).
        fields: its score at some noise levels, the noisiest first.
        flow: paths of the probability flow from noise to data, (P, T, 2), in coordinates
            x_t / sqrt(alpha^2 + sigma^2).
        wander: paths of ancestral sampling from the first of the same starts, (Q, T, 2).
        steps: steps of each.
        walks: how many more walks were taken to count where they end.
        upper: the share of their ends in the upper moon by "flow", by "wander", and that of the "data".
    """

    data: Floats
    fields: Sequence[Field]
    flow: Floats
    wander: Floats
    steps: tuple[int, int]
    walks: int
    upper: Mapping[str, float]


@dataclass(kw_only=True)
class LevelLosses:
    """How wrong the clean estimate is at each noise level.

    Attributes:
        decibels: 20 log10(sigma / alpha), (L,).
        lines: name to mean squared error, (L,), in units of the data's variance. Names: "network", "exact",
            "unseen" (the exact denoiser on pictures it does not hold), "memory" (the exact denoiser of the
            training pictures), "pixelwise", "constant".
        count: how many pictures were asked.
        known: how many pictures the exact denoiser or the memory holds; 0 without one.
    """

    decibels: Floats
    lines: Mapping[str, Floats]
    count: int
    known: int = 0


@dataclass(kw_only=True)
class Attempt:
    """What a sampler drew with so many steps.

    Attributes:
        steps: steps asked for.
        calls: calls of the denoiser, counted.
        pictures: (N, H, W, C); None if the sampler refused or went astray, then nothing else counts.
        distance: root mean square difference from the reference, in standard deviations of the data.
        plane: median distance from the reference of points that walk to the two moons.
    """

    steps: int
    calls: int = 0
    pictures: Picture | None = None
    distance: float = np.inf
    plane: float = np.inf


@dataclass(kw_only=True)
class SamplerRow:
    """One sampler with few and many steps.

    Attributes:
        name: of the table of samplers.
        order: that it declares; 0 for one that chooses its own steps.
        stochastic: whether it adds noise on the way.
        attempts: with ever more steps.
    """

    name: str
    order: int
    stochastic: bool
    attempts: Sequence[Attempt]


@dataclass(kw_only=True)
class Comparison:
    """All samplers from the same noise.

    Attributes:
        rows: one for each entry of the table of samplers.
        reference: what a fine walk leads to, (N, H, W, C).
        reference_name: sampler of that walk.
        reference_steps: its steps.
        grid: spacing of all steps.
    """

    rows: Sequence[SamplerRow]
    reference: Picture
    reference_name: str
    reference_steps: int
    grid: str


@dataclass(kw_only=True)
class Explanation:
    """Everything on the page.

    Attributes:
        title: name of the model or schedule.
        is_model: whether a network was asked; else the exact denoiser of some pictures.
        origin: where the pictures come from: "drawn" by the model itself, "held_out" from data, "known" to
            the exact denoiser.
        source: name of the data; empty if there is none.
        other_data: whether the model was trained on data with other content than that.
        known: how many pictures the exact denoiser holds; 0 for a model.
        schedule: name of the schedule.
        target: what the network predicts; empty without one.
        weights: how many numbers the network has; 0 without one.
        asked: classes of the pictures that clear up; empty without classes.
        sampler: sampler and steps of the strip that clears up.
        guidance: scale of the guidance of all sampling; 1 is off.
        forward: the picture drowning in noise.
        curves: the schedule.
        readings: the four readings.
        backward: pictures clearing up.
        toy: the plane.
        losses: error by noise level.
        comparison: all samplers.
        provenance: what made the drawn pictures; None where nothing was generated by a network.
        made_by: further facts, name to value.
        command: command line that makes the page again.
    """

    title: str
    is_model: bool
    origin: str
    source: str
    other_data: bool
    known: int
    schedule: str
    target: str
    weights: int
    asked: Sequence[str]
    sampler: tuple[str, int]
    guidance: float
    forward: Forward
    curves: Curves
    readings: Readings
    backward: Backward
    toy: Toy
    losses: LevelLosses
    comparison: Comparison
    provenance: Provenance | None = None
    made_by: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
