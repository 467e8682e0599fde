"""One picture drowning, and the same moment read in four ways: chain, ladder, SDE, straight line.

The four are DDPM (Ho et al. 2020, arXiv 2006.11239), score-based models (Song & Ermon 2019, arXiv
1907.05600), SDEs (Song et al. 2021, arXiv 2011.13456) and flow matching (Lipman et al. 2023, arXiv
2210.02747). At equal signal-to-noise ratio they hold the same picture, times a number.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from unfog.denoise import TARGETS
from unfog.output.explained import Curves, Reading, Readings, Wandering
from unfog.output.facts import Forward
from unfog.process import DDPM, VE, VP, Flow, GaussianProcess, Schedule
from unfog.process.simulate import simulate
from unfog.recipes.explain_subject import Subject
from unfog.rng import Noise, derive_seed

LEVELS = 9  # of the strip
SHOWN_RATIO = 1.0  # sigma / alpha at which the readings meet: as much noise as picture
RUNGS = 7  # of the ladder that are shown, each with twice the noise of the one before
PATHS, WALKERS, MOVES = 5, 4000, 500  # of the simulated SDE: shown, measured, steps

READINGS: dict[str, tuple[Schedule, str]] = {
    "ddpm": (DDPM(), "noise"),
    "sgm": (VE(), "score"),
    "sde": (VP(), "score"),
    "flow": (Flow(), "velocity"),
}
"""Each reading with the schedule of its paper, and what it asks the network for."""


def drown(subject: Subject, seed: int) -> Forward:
    """The first picture at nine equally spaced times, always with the same noise."""
    process, x = subject.process, subject.shown.x[:1]
    noise = _noise(x, seed)
    times = torch.linspace(0, 1, LEVELS, dtype=torch.float64)
    alpha, sigma = process.scales(times)
    drowned = torch.cat([process.mix(x, noise, t) / spread_of(process, t) for t in times])
    return Forward(
        pictures=subject.to_pictures(drowned), t=times.tolist(), alpha=alpha.tolist(), sigma=sigma.tolist()
    )


def curves(process: GaussianProcess, points: int = 201) -> Curves:
    """alpha, sigma and the clock over all times."""
    times = torch.linspace(0, 1, points, dtype=torch.float64)
    alpha, sigma = process.scales(times)
    return Curves(
        t=times.numpy(), alpha=alpha.numpy(), sigma=sigma.numpy(), log_ratio=process.log_ratio(times).numpy()
    )


def read_in_four_ways(subject: Subject, seed: int) -> Readings:
    """The first picture at one noise level in all four readings, and one estimate in all their words."""
    x = subject.shown.x[:1]
    chain = READINGS["ddpm"][0]
    assert isinstance(chain, DDPM)
    step, noise = walk_the_chain(chain, x, SHOWN_RATIO, seed)
    # the chain stops at whole steps only: the others meet it where it stopped
    clock = chain.log_ratio(torch.tensor(step / chain.steps, dtype=torch.float64))
    own = subject.process.schedule.time(clock)
    clean = subject.estimate(subject.process.mix(x, noise, own), own).mean
    found = [_read(subject, name, x, noise, clean, clock) for name in READINGS]
    first = found[0][1]
    for reading, scaled in found:
        reading.difference = float((scaled - first).abs().max())
    ratio = float(torch.exp(-clock))
    rungs = [ratio * 2.0 ** (rung - RUNGS // 2) for rung in range(RUNGS)]
    return Readings(
        rows=[reading for reading, _ in found],
        decibels=20 * math.log10(1 / ratio),
        step=step,
        steps=chain.steps,
        betas=(chain.beta_first, chain.beta_last),
        chain_std=float(noise.std()),
        ladder=subject.to_pictures(torch.cat([(x + rung * noise) / math.hypot(1, rung) for rung in rungs])),
        rungs=rungs,
        quantities=_quantities(subject, x, noise, clean, clock),
        wander=_simulated(x, clock, seed),
    )


def walk_the_chain(chain: DDPM, x: Tensor, ratio: float, seed: int) -> tuple[int, Tensor]:
    """Take x through the chain, one small step of noise after the other, up to the noise level asked for.

    Args:
        chain: gives the betas.
        x: clean data, (B, *S).
        ratio: sigma / alpha to stop at, the nearest step.
        seed: of the noise.

    Returns:
        The number of steps, and all their noise together as one standard normal e, (B, *S): the chain's
        x_n is exactly alpha x + sigma e.
    """
    betas = chain.betas()
    time = chain.time(torch.tensor(-math.log(ratio), dtype=torch.float64))
    step = max(1, round(float(time) * chain.steps))
    rng, x_n = Noise(derive_seed(seed, "chain")), x.double()
    for beta in betas[:step]:
        x_n = (1 - beta).sqrt() * x_n + beta.sqrt() * rng.normal(x.shape, like=x_n)
    left = (1 - betas[:step]).prod()
    return step, ((x_n - left.sqrt() * x.double()) / (1 - left).sqrt()).to(x)


def _read(
    subject: Subject, name: str, x: Tensor, noise: Tensor, clean: Tensor, clock: Tensor
) -> tuple[Reading, Tensor]:
    """One reading, and its x_t at unit variance."""
    schedule, asked = READINGS[name]
    process, t = GaussianProcess(schedule), schedule.time(clock)
    x_t = process.mix(x, noise, t)
    scaled = x_t / spread_of(process, t)
    quantities = in_all_words(process, x_t, clean, t)
    # from what this reading's network would say, by the one formula, back to the clean estimate
    alpha, sigma = process.scales(t, like=x_t)
    a, b = TARGETS[asked](process, t, x_t)
    recovered = (b * x_t - sigma * quantities[asked]) / (alpha * b - sigma * a)
    reading = Reading(
        name=name,
        t=float(t),
        alpha=float(alpha),
        sigma=float(sigma),
        as_is=subject.to_pictures(x_t)[0],
        scaled=subject.to_pictures(scaled)[0],
        difference=0.0,
        sizes={what: float(value.square().mean().sqrt()) for what, value in quantities.items()},
        asked=asked,
        recovered=float((recovered - clean).abs().max()),
    )
    return reading, scaled


def in_all_words(process: GaussianProcess, x_t: Tensor, clean: Tensor, t: Tensor) -> dict[str, Tensor]:
    """One clean estimate as noise, score, clean data and velocity, each (B, *S)."""
    alpha, sigma = process.scales(t, like=x_t)
    noise = (x_t - alpha * clean) / sigma
    named = {"noise": "noise", "score": "score", "clean": "data", "velocity": "velocity"}
    found = {}
    for name, target in named.items():
        a, b = TARGETS[target](process, t, x_t)
        found[name] = a * clean + b * noise
    return found


def _quantities(
    subject: Subject, x: Tensor, noise: Tensor, clean: Tensor, clock: Tensor
) -> dict[str, np.ndarray]:
    """The four quantities of the flow as pictures, grey where they are 0."""
    process = GaussianProcess(READINGS["flow"][0])
    t = process.schedule.time(clock)
    found = in_all_words(process, process.mix(x, noise, t), clean, t)
    shown = {"clean": subject.to_pictures(found.pop("clean"))[0]}
    for name, value in found.items():
        grey = 0.5 + value[0] / (6 * value.std().clamp_min(1e-6))
        shown[name] = (grey.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return {name: shown[name] for name in ("noise", "score", "clean", "velocity")}


def _simulated(x: Tensor, clock: Tensor, seed: int) -> Wandering:
    """The brightest pixel of x wandering by the SDE, and what the formula says of it."""
    schedule = READINGS["sde"][0]
    process, start = GaussianProcess(schedule), float(x.max())
    end = float(schedule.time(clock))
    times = torch.linspace(0, 1, MOVES + 1, dtype=torch.float64)
    walkers = torch.full((WALKERS,), start, dtype=torch.float64)
    moved = list(simulate(process, walkers, times, Noise(derive_seed(seed, "sde"))))
    paths = torch.stack([walkers, *moved], 1).numpy()
    alpha, sigma = (scale.numpy() for scale in process.scales(times))
    mean = alpha * start
    stop = round(end * MOVES)
    drift, diffusion = process.drift_and_diffusion(end)
    return Wandering(
        drift=float(drift),
        diffusion=float(diffusion),
        t=times.numpy(),
        paths=paths[:PATHS],
        band=np.stack([mean, mean - 2 * sigma, mean + 2 * sigma]),
        walked=(float(paths[:, stop].mean()), float(paths[:, stop].std())),
        formula=(float(mean[stop]), float(sigma[stop])),
        walkers=WALKERS,
    )


def spread_of(process: GaussianProcess, t: float | Tensor) -> float:
    """The standard deviation of x_t for data of standard deviation 1."""
    alpha, sigma = process.scales(t)
    return float((alpha**2 + sigma**2).sqrt())


def _noise(x: Tensor, seed: int) -> Tensor:
    return Noise(derive_seed(seed, "forward")).normal(x.shape, like=x)
