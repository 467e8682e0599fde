"""Heun against algorithm 1 of Karras et al. 2022, written out."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from tests.given import process_of
from unfog.denoise import ExactMixture
from unfog.sample import Heun, karras

from .conftest import go


def algorithm_1(exact: ExactMixture, sigmas: list[float], x: Tensor) -> Tensor:
    """The published loop on dx/dsigma = (x - D(x; sigma)) / sigma, with a plain Euler step to 0."""

    def denoised(x: Tensor, sigma: float) -> Tensor:
        t = exact.process.schedule.time(-torch.tensor(sigma, dtype=torch.float64).log())
        return exact(x, t).mean

    for here, there in pairwise(sigmas):
        slope = (x - denoised(x, here)) / here
        euler = x + (there - here) * slope
        if there > 0.01:
            slope = 0.5 * (slope + (euler - denoised(euler, there)) / there)
        x = x + (there - here) * slope
    return x


@pytest.mark.parametrize("schedule", ["ve", "edm"])
def test_it_is_the_published_algorithm(schedule: str) -> None:
    process = process_of(schedule)
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    grid = karras(process, 10, 80.0, 0.05)[:-1]
    x = 80 * torch.randn(5, 3, dtype=torch.float64)
    sigmas = process.scales(grid)[1].tolist()
    torch.testing.assert_close(
        go(exact, Heun(), grid, x), algorithm_1(exact, sigmas, x), rtol=1e-7, atol=1e-7
    )


def test_without_noise_at_the_end_it_ends_on_the_clean_estimate() -> None:
    process = process_of("flow")
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    x = torch.randn(5, 3, dtype=torch.float64)
    grid = torch.tensor([0.3, 0.0], dtype=torch.float64)
    torch.testing.assert_close(go(exact, Heun(), grid, x), exact(x, grid[0]).mean)
