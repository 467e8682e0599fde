"""Dormand-Prince: as exact as its tolerance, each example by its own steps."""

from __future__ import annotations

import math

import pytest
import torch

from tests.given import process_of
from unfog.denoise import ExactGaussian, ExactMixture
from unfog.errors import SampleError
from unfog.process import SCHEDULES
from unfog.sample import Adaptive
from unfog.verify.check import MEAN, STD, inner_grid, marginal

from .conftest import Told, exact_end, go


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_error_follows_the_tolerance(schedule: str) -> None:
    process = process_of(schedule)
    exact, grid = ExactGaussian(process, MEAN, STD), inner_grid(process, 1)
    mean, variance = marginal(process, grid[0])
    x = mean + math.sqrt(variance) * torch.tensor([[-2.0], [-0.5], [0.4], [1.7]], dtype=torch.float64)
    truth = exact.flow_map(x, float(grid[0]), float(grid[-1]))
    errors = [float((go(exact, Adaptive(tol), grid, x) - truth).abs().max()) for tol in (1e-3, 1e-5, 1e-7)]
    assert errors[0] < 0.02 and errors[1] < 0.1 * errors[0] and errors[2] < 0.1 * errors[1]


def test_it_is_not_the_grid_that_decides() -> None:
    process = process_of("cosine")
    told = Told(process, lambda clock: math.sin(clock))
    x = torch.tensor([[0.3], [-1.0]], dtype=torch.float64)
    for steps in (1, 3, 20):
        grid = inner_grid(process, steps)
        torch.testing.assert_close(
            go(told, Adaptive(1e-7), grid, x), exact_end(told, x, grid), rtol=0, atol=1e-5
        )


def test_harder_examples_take_more_steps_without_disturbing_easy_ones() -> None:
    """Bit for bit: not only within the tolerance."""
    process = process_of("ve")
    mixture = ExactMixture(process, torch.tensor([[-1.0, 0.0], [1.0, 0.0]], dtype=torch.float64), 0.05)
    grid = inner_grid(process, 2)
    x = 20 * torch.tensor([[3.0, 0.0], [1e-4, 1.0], [-0.5, 0.2]], dtype=torch.float64)
    together = go(mixture, Adaptive(), grid, x)
    for index in range(3):
        torch.testing.assert_close(
            go(mixture, Adaptive(), grid, x[index : index + 1]),
            together[index : index + 1],
            rtol=0,
            atol=1e-12,
        )


def test_it_gives_up_in_words() -> None:
    process = process_of("cosine")
    exact = ExactGaussian(process, MEAN, STD)
    x = torch.ones(1, 1, dtype=torch.float64)
    with pytest.raises(SampleError, match=r"gave up after 3 steps.*tolerance"):
        go(exact, Adaptive(1e-9, limit=3), inner_grid(process, 1), x)
