"""DPM-Solver++(2S): the midpoint rule in the clock."""

from __future__ import annotations

import math

import pytest
import torch

from tests.given import process_of, time_at
from unfog.denoise import ExactMixture
from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.sample import DDIM, DPMSolver2S, log_snr

from .conftest import Told, go


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_it_is_the_published_algorithm(schedule: str) -> None:
    """Lu et al. 2022, algorithm 1, for r = 1/2: the estimate at the middle carries the whole step."""
    process = process_of(schedule)
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    t, s, middle = (time_at(process, clock) for clock in (-1.0, 0.6, -0.2))
    (_, sigma_t), (alpha_m, sigma_m), (alpha_s, sigma_s) = map(process.scales, (t, middle, s))
    x = process.prior((5, 3), Noise(0), t).double()
    u = sigma_m / sigma_t * x - alpha_m * math.expm1(-0.8) * exact(x, t).mean
    expected = sigma_s / sigma_t * x - alpha_s * math.expm1(-1.6) * exact(u, middle).mean
    found = go(exact, DPMSolver2S(), torch.stack([t, s]), x)
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-7)


def test_two_calls_a_step_but_one_where_there_is_no_middle() -> None:
    process = process_of("cosine")
    grid, told = log_snr(process, 5, 20.0, 0.05), Told(process, lambda clock: clock)
    x = torch.randn(4, 2, dtype=torch.float64)
    go(told, DPMSolver2S(), grid, x)
    assert told.calls == 2 * 4 + 1
    torch.testing.assert_close(go(told, DPMSolver2S(), grid[-2:], x), go(told, DDIM(), grid[-2:], x))
