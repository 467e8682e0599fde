"""The parts of a check: what passes, what fails, and noise that is one at a time."""

from __future__ import annotations

import math

import pytest
import torch

from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.verify import CHECKS, Result
from unfog.verify.check import MEAN, STD, Impulses, error, inner_grid, marginal, process_of, slope


@pytest.mark.parametrize("name", CHECKS)
def test_everything_is_right_here(name: str) -> None:
    results = list(CHECKS[name]())
    assert results and all(result.passed for result in results), [r for r in results if not r.passed]


@pytest.mark.parametrize(("value", "passed"), [(0.5, True), (0.0, True), (1.1, False), (math.nan, False)])
def test_a_number_has_to_lie_between_its_limits(value: float, passed: bool) -> None:
    assert Result("x", value, 0.0, 1.0, "").passed is passed


def test_an_error_is_the_largest_difference() -> None:
    found = error("x", torch.tensor([1.0, 2.0]), torch.tensor([1.5, 2.1]), 0.4)
    assert found.value == pytest.approx(0.5) and not found.passed


def test_a_slope_is_the_power_of_the_steps() -> None:
    assert slope([1.0, 0.3, 1 / 16], [10, 20, 40]) == pytest.approx(2.0)


def test_each_example_has_its_turn() -> None:
    rng = Impulses(first=1)
    assert rng.normal((3, 2)).tolist() == [[0, 0], [1, 1], [0, 0]]
    assert rng.normal((3, 2)).tolist() == [[0, 0], [0, 0], [1, 1]]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_marginal_is_that_of_the_data(schedule: str) -> None:
    process, t = process_of(schedule), torch.tensor(0.4, dtype=torch.float64)
    x = MEAN + STD * Noise(1).normal((200_000, 1)).double()
    drawn = process.mix(x, Noise(2).normal(x.shape).double(), t)
    mean, variance = marginal(process, t)
    assert float(drawn.mean()) == pytest.approx(mean, abs=5 * variance**0.5 / 200_000**0.5)
    assert float(drawn.var()) == pytest.approx(variance, rel=0.02)
    assert len(inner_grid(process, 7)) == 8
