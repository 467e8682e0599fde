"""The forward SDE, simulated, ends in the law that the kernel says."""

from __future__ import annotations

import pytest
import torch

from tests.given import process_of
from unfog.process import SCHEDULES
from unfog.process.simulate import simulate
from unfog.rng import Noise


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_it_matches_the_kernel(schedule: str) -> None:
    """Monte-Carlo with 40,000 paths of 100 steps: five standard errors and 1 % for the steps."""
    process, count = process_of(schedule), 40_000
    ratios = torch.linspace(-4, 2, 101, dtype=torch.float64).neg()
    times = process.schedule.time(ratios)
    alpha, sigma = process.scales(times[0])
    x = alpha * 0.9 + sigma * Noise(1).normal((count, 1)).double()
    *_, last = simulate(process, x, times, Noise(2))
    alpha, sigma = (float(scale) for scale in process.scales(times[-1]))
    assert float(last.mean()) == pytest.approx(0.9 * alpha, abs=5 * sigma / count**0.5 + 0.01 * alpha)
    assert float(last.std()) == pytest.approx(sigma, rel=5 / (2 * count) ** 0.5 + 0.01)


def test_every_step_is_told() -> None:
    times = torch.linspace(0.1, 0.9, 6, dtype=torch.float64)
    path = list(simulate(process_of("cosine"), torch.zeros(3, 2), times, Noise(1)))
    assert len(path) == 5 and all(x.shape == (3, 2) for x in path)
