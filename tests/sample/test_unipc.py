"""UniPC: what is learned at the end of a step corrects it, without a further call."""

from __future__ import annotations

import pytest
import torch

from tests.given import process_of
from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.sample import UniPC, log_snr
from unfog.sample.base import trajectory
from unfog.sample.exponential import Estimate, flow

from .conftest import Told, exact_end, go


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_line_in_the_clock_is_followed_exactly_from_the_first_step(schedule: str) -> None:
    """The first prediction is off, as it knows one estimate; its correction knows two, and mends it."""
    process = process_of(schedule)
    grid = log_snr(process, 12, 20.0, 0.05)[:-1][[0, 1, 3, 4, 7, 8, 9, 11]]
    told = Told(process, lambda clock: 0.3 - 0.5 * clock)
    x = torch.randn(4, 2, dtype=torch.float64)
    expected = exact_end(told, x, grid)
    torch.testing.assert_close(go(told, UniPC(), grid, x), expected, rtol=1e-9, atol=1e-9)
    assert told.calls == len(grid) - 1


def test_the_correction_is_the_step_taken_again() -> None:
    """Written out for two steps: predict, look, correct, predict."""
    process = process_of("flow")
    grid = torch.tensor([0.9, 0.6, 0.3], dtype=torch.float64)
    clocks = [float(process.log_ratio(t)) for t in grid]
    told = Told(process, lambda clock: clock**2)
    x = torch.randn(3, 2, dtype=torch.float64)
    first, second = (Estimate(torch.full_like(x, clock**2), clock) for clock in clocks[:2])
    corrected = flow(process, x, grid[0], grid[1], (second, first))
    expected = flow(process, corrected, grid[1], grid[2], (second, first))
    *_, last = trajectory(told, UniPC(), grid, x, rng=Noise(0))
    torch.testing.assert_close(last.x_s, expected)
