"""What a check is: a name, entries of a table, and for each a number that has to stay within a limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unfog.denoise import Denoiser
from unfog.process import DDPM, SCHEDULES, DDPMCosine, GaussianProcess, Schedule
from unfog.rng import Noise
from unfog.sample import Sampler, log_snr, trajectory

MEAN, STD = 0.3, 0.7  # of the Gaussian data that most checks use


@dataclass(frozen=True)
class Result:
    """One number of one check.

    Attributes:
        entry: what was checked: the name of a sampler, a schedule, ...
        value: what was found.
        low, high: where it has to lie.
        what: what the number is, in a few words.
    """

    entry: str
    value: float
    low: float
    high: float
    what: str

    @property
    def passed(self) -> bool:
        """Whether the number lies where it has to; NaN does not."""
        return self.low <= self.value <= self.high


Check = Callable[[], Iterator[Result]]


def error(entry: str, found: Tensor, truth: Tensor, limit: float) -> Result:
    """The largest absolute difference as a result."""
    return Result(entry, float((found - truth).abs().max()), 0.0, limit, "largest error")


def schedules() -> dict[str, Schedule]:
    """Every schedule with its default options, then the chains that end without any data."""
    table = {name: kind() for name, kind in SCHEDULES.items()}
    return table | {
        "ddpm to zero": DDPM(zero_terminal=True),
        "ddpm-cosine to zero": DDPMCosine(zero_terminal=True),
    }


def process_of(schedule: str) -> GaussianProcess:
    """The Gaussian process of one of ``schedules``."""
    return GaussianProcess(schedules()[schedule])


def end_of(
    denoiser: Denoiser, sampler: Sampler[Any], grid: Tensor, x: Tensor, rng: Noise | None = None
) -> Tensor:
    """Where a trajectory ends."""
    last = x
    for step in trajectory(denoiser, sampler, grid, x, rng=rng or Noise(0)):
        last = step.x_s
    return last


def inner_grid(process: GaussianProcess, steps: int) -> Tensor:
    """``steps`` steps between noise levels 20 and 0.05, without the last one to t = 0."""
    return log_snr(process, steps + 1, 20.0, 0.05)[:-1]


def marginal(process: GaussianProcess, t: Tensor) -> tuple[float, float]:
    """Mean and variance of x_t for data from N(MEAN, STD^2)."""
    alpha, sigma = (float(scale) for scale in process.scales(t))
    return alpha * MEAN, alpha**2 * STD**2 + sigma**2


def slope(errors: Sequence[float], counts: Sequence[int]) -> float:
    """The order of convergence: how steeply errors fall from the first count of steps to the last."""
    return math.log(errors[0] / errors[-1]) / math.log(counts[-1] / counts[0])


class Impulses(Noise):
    """Noise that is 1 for one example at each call, for the next one at the next call, and 0 elsewhere.

    Args:
        first: the example whose turn is first; None for no noise at all.

    Attributes:
        count: calls so far.
    """

    def __init__(self, first: int | None) -> None:
        super().__init__(0)
        self.first, self.count = first, 0

    def normal(self, shape: Sequence[int], like: Tensor | None = None) -> Tensor:
        """One example's turn, in the type of ``like``."""
        noise = torch.zeros(tuple(shape), dtype=torch.float64 if like is None else like.dtype)
        if self.first is not None:
            noise[self.first + self.count] = 1.0
        self.count += 1
        return noise
