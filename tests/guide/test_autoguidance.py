"""Autoguidance where the answer is known: two Gaussians, of one width or two."""

from __future__ import annotations

import pytest
import torch

from tests.given import process_of, time_at
from unfog.condition import NONE, Condition
from unfog.denoise import Denoiser, ExactGaussian, GaussianPosterior
from unfog.guide import Autoguidance
from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.sample import DPMSolver2M, log_snr, trajectory


class Noting(Denoiser):
    """Says what an exact Gaussian says, and notes the conditions it was asked under."""

    def __init__(self, exact: ExactGaussian) -> None:
        super().__init__()
        self.inner, self.process, self.asked = exact, exact.process, list[Condition]()

    def forward(self, x_t: torch.Tensor, t: torch.Tensor, cond: Condition = NONE) -> GaussianPosterior:
        self.asked.append(cond)
        posterior: GaussianPosterior = self.inner(x_t, t, cond)
        return posterior


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("scale", [0.0, 1.0, 1.5, 4.0])
def test_the_estimate_of_two_widths_is_extrapolated(schedule: str, scale: float) -> None:
    """By hand: each mean is m + g (x_t - alpha m) with g = alpha s^2 / (alpha^2 s^2 + sigma^2)."""
    process = process_of(schedule)
    t, x_t = time_at(process, -0.4), torch.randn(4, 3, dtype=torch.float64)
    alpha, sigma = process.scales(t)
    means = []
    for m, s in ((0.7, 0.5), (0.2, 0.8)):
        means.append(m + alpha * s**2 / (alpha**2 * s**2 + sigma**2) * (x_t - alpha * m))
    good, weak = ExactGaussian(process, 0.7, 0.5), ExactGaussian(process, 0.2, 0.8)
    found = Autoguidance(good, weak, NONE, scale)(x_t, t).mean
    torch.testing.assert_close(found, means[1] + scale * (means[0] - means[1]))


def test_sampling_ends_at_the_gaussian_further_out() -> None:
    process, scale = process_of("cosine"), 2.0
    good, weak = ExactGaussian(process, 0.7, 0.5), ExactGaussian(process, 0.2, 0.5)
    grid = log_snr(process, 200, 20.0, 0.01)[:-1]
    x = 20 * process.scales(grid[0])[0] * torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]
    *_, last = trajectory(Autoguidance(good, weak, NONE, scale), DPMSolver2M(), grid, x, rng=Noise(0))
    expected = ExactGaussian(process, 1.2, 0.5).flow_map(x, float(grid[0]), float(grid[-1]))
    torch.testing.assert_close(last.x_s, expected, rtol=1e-3, atol=1e-3)


def test_at_1_the_weak_one_is_not_even_asked() -> None:
    process, t, x_t = process_of("cosine"), torch.tensor(0.5), torch.randn(4, 3)
    good, weak = ExactGaussian(process, 0.7, 0.5), Noting(ExactGaussian(process, 0.2, 0.8))
    assert torch.equal(Autoguidance(good, weak, NONE, 1.0)(x_t, t).mean, good(x_t, t).mean)
    assert not weak.asked


def test_each_is_asked_in_its_own_words() -> None:
    process = process_of("cosine")
    good, weak = Noting(ExactGaussian(process, 0.7, 0.5)), Noting(ExactGaussian(process, 0.2, 0.8))
    mine, its = Condition(vector=torch.zeros(4, 2)), Condition(vector=torch.ones(4, 2))
    Autoguidance(good, weak, its, 2.0)(torch.randn(4, 3), torch.tensor(0.5), mine)
    assert good.asked == [mine] and weak.asked == [its]
