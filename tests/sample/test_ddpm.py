"""DDPM against the published posterior, and its two ends: the chain and DDIM."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.given import process_of
from unfog.denoise import ExactGaussian, ExactMixture
from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.sample import DDIM, DDPM, log_snr

from .conftest import Constant, go


def test_a_step_of_the_chain_is_the_published_posterior() -> None:
    """Ho et al. 2020, equations 6 and 7: mean and variance of q(x_{n-1} | x_n, x_0), for single steps."""
    betas = np.linspace(1e-4, 0.02, 1000)
    bars = np.concatenate([[1.0], np.cumprod(1 - betas)])
    process = process_of("ddpm")
    exact = ExactGaussian(process, 0.3, 0.7)
    x = torch.tensor([[-1.0], [0.2], [2.0]], dtype=torch.float64)
    for n in (2, 17, 500, 1000):
        grid = torch.tensor([n / 1000, (n - 1) / 1000], dtype=torch.float64)
        clean = exact(x, grid[0]).mean
        beta, bar, before = betas[n - 1], bars[n], bars[n - 1]
        mean = before**0.5 * beta / (1 - bar) * clean + (1 - beta) ** 0.5 * (1 - before) / (1 - bar) * x
        variance = (1 - before) / (1 - bar) * beta
        still, moved = (go(exact, DDPM(), grid, x, Constant(c)) for c in (0.0, 1.0))
        torch.testing.assert_close(still, mean, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose((moved - still).numpy() ** 2, variance, rtol=1e-6)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_eta_0_is_ddim(schedule: str) -> None:
    process = process_of(schedule)
    exact = ExactMixture(process, torch.randn(3, 2).double(), 0.4)
    grid = log_snr(process, 9, 40.0, 0.02)
    x = process.prior((6, 2), Noise(0), grid[0]).double()
    with_noise = go(exact, DDPM(eta=0.0), grid, x, Noise(1))
    torch.testing.assert_close(with_noise, go(exact, DDIM(), grid, x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_fresh_and_kept_noise_add_up(eta: float) -> None:
    """However much is drawn afresh, sigma_s^2 is there afterwards: x_s has the marginal at the true x."""
    process = process_of("cosine")
    exact = ExactGaussian(process, 0.0, 0.0)  # the data is 0, so x_t is sigma_t times noise
    grid = torch.tensor([0.8, 0.5], dtype=torch.float64)
    (_, sigma_t), (_, sigma_s) = process.scales(grid[0]), process.scales(grid[1])
    unit = torch.ones(1, 1, dtype=torch.float64)
    kept = go(exact, DDPM(eta), grid, sigma_t * unit, Constant(0.0))
    fresh = go(exact, DDPM(eta), grid, 0 * unit, Constant(1.0))
    assert float(kept**2 + fresh**2) == pytest.approx(float(sigma_s**2), rel=1e-12)
    assert (float(fresh) > 0) is (eta > 0)
