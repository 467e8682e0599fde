"""Restart: once below its interval it goes back up, and errors made above are washed out."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.given import process_of
from unfog.condition import NONE, Condition
from unfog.denoise import Denoiser, ExactGaussian, GaussianPosterior
from unfog.process import GaussianProcess
from unfog.rng import Noise
from unfog.sample import Heun, Restart, log_snr
from unfog.verify.check import MEAN, STD, Impulses, inner_grid, marginal

from .conftest import go


class WrongAbove(Denoiser):
    """Exact below a noise-to-signal ratio of 3, shifted above it."""

    def __init__(self, process: GaussianProcess) -> None:
        super().__init__()
        self.process, self.exact = process, ExactGaussian(process, MEAN, STD)

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        found: GaussianPosterior = self.exact(x_t, t)
        above = float(self.process.log_ratio(t)) < -1.1
        return found.with_mean(found.mean + 1.5) if above else found


def test_errors_made_high_up_are_washed_out() -> None:
    process, count = process_of("cosine"), 20_000
    grid = log_snr(process, 40, 40.0, 0.02)
    x = process.prior((count, 1), Noise(1), grid[0]).double()
    plain = go(WrongAbove(process), Heun(), grid, x, Noise(2)).mean() - MEAN
    again = go(WrongAbove(process), Restart(high=2.9, repeats=3), grid, x, Noise(2)).mean() - MEAN
    assert abs(float(again)) < 0.35 * abs(float(plain))


def test_it_restarts_once_for_each_repeat() -> None:
    process = process_of("ve")
    draws = Impulses(first=None)
    x = torch.zeros(2, 1, dtype=torch.float64)
    go(ExactGaussian(process, MEAN, STD), Restart(repeats=5), inner_grid(process, 12), x, draws)
    assert draws.count == 5


def test_an_interval_out_of_reach_is_never_entered() -> None:
    process = process_of("flow")
    exact, grid = ExactGaussian(process, MEAN, STD), inner_grid(process, 8)
    x = marginal(process, grid[0])[1] ** 0.5 * torch.randn(4, 2, dtype=torch.float64)
    torch.testing.assert_close(go(exact, Restart(low=1e-3, high=1e-2), grid, x), go(exact, Heun(), grid, x))
