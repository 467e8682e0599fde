"""DPM-Solver++(2M) against the published update, written out in the log of the signal-to-noise ratio."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.given import process_of
from unfog.denoise import ExactMixture
from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.sample import DDIM, DPMSolver2M, log_snr
from unfog.sample.base import trajectory

from .conftest import go


def algorithm_2(exact: ExactMixture, grid: Tensor, x: Tensor) -> Tensor:
    """Lu et al. 2022 (arXiv 2211.01095): r = h_before / h and D = (1 + 1/2r) x - x_before / 2r."""
    process, before = exact.process, None
    clock = process.log_ratio(grid)
    for k in range(len(grid) - 1):
        (_, sigma_t), (alpha_s, sigma_s) = process.scales(grid[k]), process.scales(grid[k + 1])
        h = clock[k + 1] - clock[k]
        clean = exact(x, grid[k]).mean
        if before is None:
            direction = clean
        else:
            r = (clock[k] - clock[k - 1]) / h
            direction = (1 + 1 / (2 * r)) * clean - 1 / (2 * r) * before
        x = sigma_s / sigma_t * x - alpha_s * torch.expm1(-h) * direction
        before = clean
    return x


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_it_is_the_published_algorithm(schedule: str) -> None:
    process = process_of(schedule)
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    grid = log_snr(process, 12, 40.0, 0.05)[:-1]
    grid = grid[[0, 1, 3, 4, 7, 8, 9, 11]]  # steps of different length
    x = process.prior((5, 3), Noise(0), grid[0]).double()
    expected = algorithm_2(exact, grid, x)
    torch.testing.assert_close(go(exact, DPMSolver2M(), grid, x), expected, rtol=1e-8, atol=1e-8)


def test_the_first_step_and_the_step_to_no_noise_are_of_first_order() -> None:
    process = process_of("cosine")
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    grid = torch.tensor([0.9, 0.5, 0.0], dtype=torch.float64)
    x = torch.randn(5, 3, dtype=torch.float64)
    steps = list(trajectory(exact, DPMSolver2M(), grid, x, rng=Noise(0)))
    torch.testing.assert_close(steps[0].x_s, go(exact, DDIM(), grid[:2], x))
    torch.testing.assert_close(steps[1].x_s, steps[1].clean)


def test_it_costs_one_call_a_step() -> None:
    calls = []

    class Counted(ExactMixture):
        def forward(self, *args, **kwargs):
            calls.append(1)
            return super().forward(*args, **kwargs)

    process = process_of("vp")
    grid = log_snr(process, 11, 40.0, 0.05)
    go(Counted(process, torch.zeros(1, 1), 1.0), DPMSolver2M(), grid, torch.zeros(2, 1))
    assert len(calls) == 11 * DPMSolver2M.calls
