"""Langevin dynamics leaves the law of its noise level alone, and finds it from elsewhere."""

from __future__ import annotations

import pytest
import torch

from tests.given import process_of
from unfog.condition import NONE
from unfog.denoise import ExactGaussian, ExactMixture
from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.sample import Langevin
from unfog.sample.langevin import langevin_step
from unfog.verify.check import MEAN, STD, marginal

from .conftest import Constant, go


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_small_steps_are_the_published_ones(schedule: str) -> None:
    """x + h score + sqrt(2 h) e with h = size sigma^2 (Song & Ermon 2019), up to second order in the size."""
    process = process_of(schedule)
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    t = process.schedule.time(torch.tensor(-0.5, dtype=torch.float64))
    x, sigma = torch.randn(5, 3, dtype=torch.float64), float(process.scales(t)[1])
    for size in (1e-3, 1e-5):
        h = size * sigma**2
        published = x + h * exact(x, t).score + (2 * h) ** 0.5
        found = langevin_step(exact, x, t, size, NONE, Constant(1.0))
        assert float((found - published).abs().max()) < 3 * size**1.5 * (1 + sigma)


@pytest.mark.parametrize("schedule", ["cosine", "ve"])
def test_it_finds_the_law_of_its_level_and_stays(schedule: str) -> None:
    process, count = process_of(schedule), 40_000
    exact = ExactGaussian(process, MEAN, STD)
    t = process.schedule.time(torch.tensor(0.3, dtype=torch.float64))
    mean, variance = marginal(process, t)
    x, rng = torch.zeros(count, 1, dtype=torch.float64), Noise(3)
    for _ in range(150):
        x = langevin_step(exact, x, t, 0.1, NONE, rng)
    assert float(x.mean()) == pytest.approx(mean, abs=5 * (variance / count) ** 0.5)
    assert float(x.var()) == pytest.approx(variance, rel=5 * (2 / count) ** 0.5 + 0.003)


def test_more_corrections_at_each_level_come_nearer() -> None:
    process = process_of("ve")
    exact = ExactGaussian(process, MEAN, STD)
    grid = process.schedule.time(-torch.linspace(3, -2, 20, dtype=torch.float64))
    _, variance = marginal(process, grid[-1])
    start = marginal(process, grid[0])[1] ** 0.5 * Noise(4).normal((20_000, 1)).double()
    errors = [
        abs(float(go(exact, Langevin(corrections=n), grid, start, Noise(5)).var()) / variance - 1)
        for n in (1, 5, 25)
    ]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
