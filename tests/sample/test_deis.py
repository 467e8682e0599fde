"""DEIS: parabolas of the noise over the noise-to-signal ratio are integrated exactly."""

from __future__ import annotations

import math

import pytest
import torch

from tests.given import process_of
from unfog.process import SCHEDULES
from unfog.sample import DDIM, DEIS, log_snr

from .conftest import Told, go


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_parabola_of_the_noise_is_followed_exactly(schedule: str) -> None:
    """With x_t = alpha y and y' = e(r) the truth is an elementary integral."""
    process = process_of(schedule)
    grid = log_snr(process, 12, 3.0, 0.2)[:-1][[0, 1, 3, 4, 7, 8, 9, 11]]
    ratios = [float(sigma / alpha) for alpha, sigma in map(process.scales, grid)]
    alphas = [float(process.scales(t)[0]) for t in grid]

    def noise(r: float) -> float:
        return 0.3 - 0.5 * r + 0.2 * r**2

    def total(r: float) -> float:
        return 0.3 * r - 0.25 * r**2 + 0.2 / 3 * r**3

    class Noisy(Told):
        """Says the clean estimate for which the noise is the parabola."""

        def forward(self, x_t, t, cond=None):
            alpha, sigma = (float(v) for v in self.process.scales(t))
            posterior = super().forward(x_t, t)
            return posterior.with_mean((x_t - sigma * noise(sigma / alpha)) / alpha)

    denoiser = Noisy(process, lambda clock: math.nan)
    x = torch.randn(4, 2, dtype=torch.float64)
    third = go(denoiser, DEIS(), grid[:3], x)
    expected = alphas[-1] * (third / alphas[2] + total(ratios[-1]) - total(ratios[2]))
    torch.testing.assert_close(go(denoiser, DEIS(), grid, x), expected, rtol=1e-9, atol=1e-9)
    denoiser.calls = 0
    go(denoiser, DEIS(), grid, x)
    assert denoiser.calls == len(grid) - 1


@pytest.mark.parametrize("ends", [(1.0, 0.6), (0.4, 0.0)])
def test_without_signal_or_without_noise_it_is_ddim(ends: tuple[float, float]) -> None:
    process = process_of("flow")
    told, grid = Told(process, lambda clock: 0.4), torch.tensor(ends, dtype=torch.float64)
    x = torch.randn(4, 2, dtype=torch.float64)
    torch.testing.assert_close(go(told, DEIS(), grid, x), go(told, DDIM(), grid, x))
