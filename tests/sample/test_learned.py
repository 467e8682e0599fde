"""The learned sampler is DPM-Solver++(3M) plus what was learned."""

from __future__ import annotations

import pytest
import torch

from tests.given import process_of
from unfog.denoise import ExactMixture
from unfog.process import SCHEDULES
from unfog.sample import DPMSolver3M, Learned, karras

from .conftest import Told, go


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_with_nothing_learned_it_is_3m(schedule: str) -> None:
    process = process_of(schedule)
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    grid = karras(process, 7, 60.0, 0.05)
    x = process.scales(grid[0])[1] * torch.randn(5, 3, dtype=torch.float64)
    nothing = Learned(((0.0,), (0.0, 0.0), (0.0, 0.0, 0.0)))
    for sampler in (Learned(), nothing):
        torch.testing.assert_close(go(exact, sampler, grid, x), go(exact, DPMSolver3M(), grid, x))


def test_corrections_add_estimates_of_their_own_step() -> None:
    process = process_of("ve")
    told = Told(process, lambda clock: 2.0)
    grid = karras(process, 4, 60.0, 0.05)
    x = torch.ones(1, 1, dtype=torch.float64)
    plain = go(told, Learned(), grid, x)
    last = go(told, Learned(((), (), (), (0.5, -0.2, 0.1))), grid, x)
    torch.testing.assert_close(last - plain, torch.full((1, 1), 2 * 0.4, dtype=torch.float64))
    first = go(told, Learned(((0.5, 9.0, 9.0),)), grid, x)  # at the first step there is one estimate only
    shrink = float(process.scales(grid[-1])[1] / process.scales(grid[1])[1])
    torch.testing.assert_close(first - plain, torch.full((1, 1), shrink, dtype=torch.float64))
