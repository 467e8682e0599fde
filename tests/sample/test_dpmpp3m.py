"""DPM-Solver++(3M): parabolas are integrated exactly, with one call a step."""

from __future__ import annotations

import pytest
import torch

from tests.given import process_of
from unfog.process import SCHEDULES
from unfog.sample import DDIM, DPMSolver3M, log_snr

from .conftest import Told, exact_end, go


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_parabola_in_the_clock_is_followed_exactly(schedule: str) -> None:
    """Once three estimates are known; the first two steps begin with fewer."""
    process = process_of(schedule)
    grid = log_snr(process, 12, 20.0, 0.05)[:-1][[0, 1, 3, 4, 7, 8, 9, 11]]  # steps of different length
    told = Told(process, lambda clock: 0.3 - 0.5 * clock + 0.2 * clock**2)
    x = torch.randn(4, 2, dtype=torch.float64)
    third = go(told, DPMSolver3M(), grid[:3], x)
    expected = exact_end(told, third, grid[2:])
    torch.testing.assert_close(go(told, DPMSolver3M(), grid, x), expected, rtol=1e-9, atol=1e-9)


def test_one_call_a_step_and_the_first_is_ddim() -> None:
    process = process_of("cosine")
    grid, told = log_snr(process, 9, 20.0, 0.05), Told(process, lambda clock: clock)
    x = torch.randn(4, 2, dtype=torch.float64)
    go(told, DPMSolver3M(), grid, x)
    assert told.calls == 9
    torch.testing.assert_close(go(told, DPMSolver3M(), grid[:2], x), go(told, DDIM(), grid[:2], x))
