"""What all sampler tests walk with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise import Denoiser, GaussianPosterior
from unfog.process import GaussianProcess
from unfog.rng import Noise
from unfog.sample import SAMPLERS, Sampler, trajectory

Walk = Callable[..., Tensor]

DETERMINISTIC = [name for name, kind in SAMPLERS.items() if not kind.stochastic]
STOCHASTIC = [name for name, kind in SAMPLERS.items() if kind.stochastic]


class Constant(Noise):
    """Noise that is the same number everywhere, to read off how a sampler uses it."""

    def __init__(self, value: float) -> None:
        super().__init__(0)
        self.value = value

    def normal(self, shape: Sequence[int], like: Tensor | None = None) -> Tensor:
        """The number, in the type of ``like``."""
        return torch.full(tuple(shape), self.value, dtype=torch.float32 if like is None else like.dtype)


def go(
    denoiser: Denoiser, sampler: Sampler[Any], grid: Tensor, x: Tensor, rng: Noise | None = None
) -> Tensor:
    """Where a trajectory ends."""
    last = x
    for step in trajectory(denoiser, sampler, grid, x, rng=rng or Noise(0)):
        last = step.x_s
    return last


class Told(Denoiser):
    """A clean estimate that depends on the time alone, so that its integral is known; counts its calls."""

    def __init__(self, process: GaussianProcess, told: Callable[[float], float]) -> None:
        super().__init__()
        self.process, self.told, self.calls = process, told, 0

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        """The told value everywhere, whatever x_t is."""
        self.calls += 1
        alpha, sigma = self.process.scales(t, like=x_t)
        values = [self.told(clock) for clock in self.process.log_ratio(t).flatten().tolist()]
        value = torch.tensor(values, dtype=torch.float64).to(x_t).view(-1, *[1] * (x_t.ndim - 1))
        return GaussianPosterior(value.expand_as(x_t), x_t, alpha, sigma)


def exact_end(denoiser: Told, x: Tensor, grid: Tensor) -> Tensor:
    """Where the probability flow takes x along a grid, by quadrature (for clean estimates ``Told``)."""
    process = denoiser.process
    (_, sigma_t), (alpha_s, sigma_s) = process.scales(grid[0]), process.scales(grid[-1])
    start, end = float(process.log_ratio(grid[0])), float(process.log_ratio(grid[-1]))
    integral = quad(lambda clock: math.exp(clock - end) * denoiser.told(clock), start, end, epsabs=1e-13)[0]
    return sigma_s / sigma_t * x + alpha_s * integral


@pytest.fixture
def walk() -> Walk:
    return go
