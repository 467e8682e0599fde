"""The way back: pictures clearing up, how wrong the guess is on the way, what every sampler makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from unfog.denoise import ExactMixture
from unfog.errors import SampleError
from unfog.output.explained import Attempt, Comparison, LevelLosses, SamplerRow
from unfog.output.facts import Backward
from unfog.process import GaussianProcess
from unfog.recipes.explain_readings import spread_of
from unfog.recipes.explain_subject import Subject, affordable, allowed, ask
from unfog.recipes.explain_toy import moons
from unfog.recipes.listen import Listener
from unfog.rng import Noise, derive_seed
from unfog.sample import GRIDS, SAMPLERS, trajectory
from unfog.spec import Sampling

CLEARING, CLEARING_STEPS = 2, 20  # pictures and steps of the strip
DECIBELS = np.linspace(
    -30, 36, 12
)  # 20 log10(sigma / alpha) at which the guess is measured; all schedules reach them
STEPS = (5, 10, 50)
COMPARED = 4  # pictures of each sampler; fewer where they are large
WALKERS = 200  # to the moons
REFERENCE, FINE = "rk4", 200  # of high order, one step at a time, without a memory


def clear_up(subject: Subject, seed: int, listener: Listener) -> Backward:
    """The first pictures of a seed on their way from noise, with the clean guess at each step."""
    noisy, clean, times, steps = [], [], [], allowed(subject.process, CLEARING_STEPS)
    walk = subject.walk(CLEARING, seed=seed, sampler=subject.sampling.sampler, steps=steps)
    for step in walk:
        noisy.append(subject.to_pictures(step.x_t / spread_of(subject.process, step.t)))
        clean.append(subject.to_pictures(step.clean))
        times.append(step.t)
        listener.phase("Clearing up", step.index + 1, steps)
        last = step
    noisy.append(subject.to_pictures(last.x_s))
    clean.append(noisy[-1])
    return Backward(noisy=np.stack(noisy, 1), clean=np.stack(clean, 1), t=[*times, last.s], film=None)


def weigh_levels(subject: Subject, seed: int, listener: Listener) -> LevelLosses:
    """Mean squared error of the clean estimate at each noise level, beside what it can be compared with."""
    shown, process = subject.shown, subject.process
    exact = isinstance(subject.denoiser, ExactMixture)
    lines: dict[str, list[float]] = {"exact" if exact else "network": []}
    lines |= {"unseen": []} if shown.unseen is not None else {}
    lines |= {"memory": []} if shown.memory is not None else {}
    noise = Noise(derive_seed(seed, "levels"))
    levels = reached(process)
    for done, level in enumerate(levels):
        t = process.schedule.time(torch.tensor(-level / 20 * np.log(10), dtype=torch.float64))
        e = noise.normal(shown.x.shape, like=shown.x)
        x_t = process.mix(shown.x, e, t)
        own = subject.estimate(x_t, t)
        next(iter(lines.values())).append(_mean(own.divergence(shown.x)))
        if shown.unseen is not None:
            other = process.mix(shown.unseen, e[: len(shown.unseen)], t)
            lines["unseen"].append(_mean(ask(subject.denoiser, other, t).divergence(shown.unseen)))
        if shown.memory is not None:
            lines["memory"].append(_mean(ask(shown.memory, x_t, t).divergence(shown.x)))
        listener.phase("Measuring the guess", done + 1, len(levels))
    found = {name: np.asarray(values) for name, values in lines.items()}

    found["pixelwise"] = 1 / (1 + 10 ** (-levels / 10))
    found["constant"] = np.full(len(levels), constant_error(shown.x))
    return LevelLosses(
        decibels=levels,
        lines=found,
        count=len(shown.x),
        known=subject.known if shown.memory is None else len(shown.memory.means),
    )


def reached(process: GaussianProcess) -> np.ndarray:
    """Those of ``DECIBELS`` that lie within the schedule; short chains end early."""
    clocks = torch.from_numpy(-DECIBELS / 20 * np.log(10))
    inside = (process.log_ratio(process.schedule.time(clocks)) - clocks).abs() < 1e-3
    levels: np.ndarray = DECIBELS[inside.numpy()]
    return levels


def constant_error(x: Tensor) -> float:
    """Mean squared error of the best single answer to all x, (N, *S), which is the mean of ever more x."""
    return float(x.var(0, correction=1).mean()) if len(x) > 1 else float(x.square().mean())


def compare(subject: Subject, seed: int, listener: Listener) -> Comparison:
    """The same noise given to every sampler, with few and many steps, beside a fine walk."""
    count = affordable(COMPARED, subject.shown.x.shape)
    total = len(SAMPLERS) * len(STEPS) + 1
    fine = _end(subject, count, seed, REFERENCE, FINE)
    plane = Plane(subject.process, subject.sampling, seed)
    listener.phase("Comparing samplers", 1, total)
    rows: list[SamplerRow] = []
    for name, kind in SAMPLERS.items():
        attempts = []
        for steps in STEPS:
            attempts.append(_attempt(subject, count, seed, name, steps, fine, plane))
            listener.phase("Comparing samplers", 1 + len(rows) * len(STEPS) + len(attempts), total)
        rows.append(SamplerRow(name=name, order=kind.order, stochastic=kind.stochastic, attempts=attempts))
    return Comparison(
        rows=rows,
        reference=subject.to_pictures(fine),
        reference_name=REFERENCE,
        reference_steps=FINE,
        grid=subject.sampling.grid,
    )


def _attempt(
    subject: Subject, count: int, seed: int, name: str, steps: int, fine: Tensor, plane: Plane
) -> Attempt:
    try:
        x, calls = subject.count(lambda: _end(subject, count, seed, name, steps))
        error = plane.error(name, steps)
    except SampleError:  # a chain of fewer steps than these, or a sampler that goes astray on this model
        return Attempt(steps=steps)
    return Attempt(
        steps=steps,
        calls=calls,
        pictures=subject.to_pictures(x),
        distance=float((x - fine).square().mean().sqrt()),
        plane=error,
    )


class Plane:
    """The two moons as a second question to every sampler, with a known answer at every noise level.

    Args:
        process: how the moons are lost.
        sampling: grid, start and end of the walks.
        seed: of the noise.
    """

    def __init__(self, process: GaussianProcess, sampling: Sampling, seed: int) -> None:
        self.exact, self.sampling, self.seed = moons(process), sampling, seed
        self.fine = self.end(REFERENCE, FINE)

    def error(self, sampler: str, steps: int) -> float:
        """Median distance from the fine walk: a few starts lie where ways part, and would drown the rest."""
        return float((self.end(sampler, steps) - self.fine).norm(dim=1).median())

    def end(self, sampler: str, steps: int) -> Tensor:
        """Where a sampler leads the same 200 starts with so many steps, (200, 2)."""
        process, rng = self.exact.process, Noise(derive_seed(self.seed, "plane"))
        grid = GRIDS[self.sampling.grid](process, steps, self.sampling.start, self.sampling.end)
        x = rng.normal((WALKERS, 2)).double() * process.scales(grid[0])[1]
        *_, last = trajectory(self.exact, SAMPLERS[sampler](), grid, x, rng=rng)
        return last.x_s


def _end(subject: Subject, count: int, seed: int, sampler: str, steps: int) -> Tensor:
    *_, last = subject.walk(count, seed=seed, sampler=sampler, steps=steps)
    return last.x_s


def plain(comparison: Comparison) -> list[dict[str, Any]]:
    """The comparison without its pictures, for machines; null where a sampler drew none."""
    return [
        {
            "sampler": row.name,
            "order": row.order,
            "stochastic": row.stochastic,
            "steps": {str(each.steps): _plain(each) for each in row.attempts},
        }
        for row in comparison.rows
    ]


def _plain(attempt: Attempt) -> dict[str, Any] | None:
    if attempt.pictures is None:
        return None
    return {"calls": attempt.calls, "distance": attempt.distance, "plane": attempt.plane}


def _mean(values: Tensor) -> float:
    return float(values.double().mean())
