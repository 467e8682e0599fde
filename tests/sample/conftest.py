"""What all sampler tests walk with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from unfog.denoise import Denoiser
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


@pytest.fixture
def walk() -> Walk:
    return go
