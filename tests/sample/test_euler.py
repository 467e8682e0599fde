"""Euler without churn is DDIM; with churn it is algorithm 2 of Karras et al. 2022 without the correction."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from tests.given import process_of
from unfog.denoise import ExactMixture
from unfog.process import SCHEDULES
from unfog.sample import DDIM, Euler, Heun, karras

from .conftest import Constant, go


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_without_churn_it_is_ddim(schedule: str) -> None:
    process = process_of(schedule)
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    grid = karras(process, 7, 60.0, 0.05)
    x = process.scales(grid[0])[1] * torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(go(exact, Euler(), grid, x), go(exact, DDIM(), grid, x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("corrected", [False, True])
def test_with_churn_it_is_the_published_algorithm(corrected: bool) -> None:
    """The noise is 1 everywhere, so that the published loop can be written out."""
    process, churn = process_of("ve"), 0.2
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    grid = karras(process, 8, 40.0, 0.05)[:-1]

    def slope(x: torch.Tensor, sigma: float) -> torch.Tensor:
        t = process.schedule.time(-torch.tensor(sigma, dtype=torch.float64).log())
        return (x - exact(x, t).mean) / sigma

    x = expected = 40 * torch.randn(5, 3, dtype=torch.float64)
    for here, there in pairwise(process.scales(grid)[1].tolist()):
        higher = here * (1 + churn)
        expected = expected + (higher**2 - here**2) ** 0.5
        first = slope(expected, higher)
        moved = expected + (there - higher) * first
        second = slope(moved, there) if corrected else first
        expected = expected + (there - higher) * (first + second) / 2
    found = go(exact, (Heun if corrected else Euler)(churn), grid, x, Constant(1.0))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
