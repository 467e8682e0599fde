"""DDPM against the published posterior, and its two ends: the chain and DDIM."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.given import process_of, small_model
from unfog.condition import NONE, Condition
from unfog.denoise import ExactGaussian, ExactMixture, GaussianPosterior
from unfog.errors import SampleError
from unfog.process import DDPM as ChainDDPM
from unfog.process import SCHEDULES, GaussianProcess
from unfog.rng import Noise
from unfog.sample import DDIM, DDPM, log_snr, uniform

from .conftest import Constant, go

LINEAR = np.linspace(1e-4, 0.02, 1000)
COSINE = np.cos((np.arange(1001) / 1000 + 0.008) / 1.008 * np.pi / 2) ** 2
BETAS = {"ddpm": LINEAR, "ddpm-cosine": np.minimum(1 - COSINE[1:] / COSINE[:-1], 0.999)}


@pytest.mark.parametrize("chain", BETAS)
@pytest.mark.parametrize("stride", [1, 7, 50])
@pytest.mark.parametrize("variance", ["posterior", "forward", "auto"])
def test_a_step_of_the_chain_is_the_published_posterior(chain: str, stride: int, variance: str) -> None:
    """Ho et al. 2020, equations 6 and 7: mean and variance of q(x_{n-1} | x_n, x_0), for single steps.

    With strides the betas are those that lead from one visited point to the next (Nichol & Dhariwal 2021).
    """
    bars = np.concatenate([[1.0], np.cumprod(1 - BETAS[chain])])
    exact = ExactGaussian(process_of(chain), 0.3, 0.7)
    x = torch.tensor([[-1.0], [0.2], [2.0]], dtype=torch.float64)
    for n in (2 * stride, 300 + stride, 500, 1000):
        grid = torch.tensor([n / 1000, (n - stride) / 1000], dtype=torch.float64)
        clean = exact(x, grid[0]).mean
        bar, before = bars[n], bars[n - stride]
        beta = 1 - bar / before
        mean = before**0.5 * beta / (1 - bar) * clean + (1 - beta) ** 0.5 * (1 - before) / (1 - bar) * x
        expected = beta if variance == "forward" else (1 - before) / (1 - bar) * beta
        still, moved = (go(exact, DDPM(variance=variance), grid, x, Constant(c)) for c in (0.0, 1.0))
        torch.testing.assert_close(still, mean, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose((moved - still).numpy() ** 2, expected, rtol=1e-5)


class Learned(ExactGaussian):
    """An exact denoiser that says where the log variance lies."""

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        return replace(super().forward(x_t, t, cond), fraction=torch.tensor([[0.0], [0.25], [1.0]]).double())


def test_a_learned_variance_lies_between_the_fixed_ones_in_its_logarithm() -> None:
    process = process_of("vp")
    learned, fixed = Learned(process, 0.3, 0.7), ExactGaussian(process, 0.3, 0.7)
    grid, x = torch.tensor([0.7, 0.6], dtype=torch.float64), torch.ones(3, 1, dtype=torch.float64)
    said, small, large = (
        go(denoiser, DDPM(variance=variance), grid, x, Constant(1.0))
        - go(denoiser, DDPM(), grid, x, Constant(0.0))
        for denoiser, variance in ((learned, "learned"), (fixed, "posterior"), (fixed, "forward"))
    )
    fraction = torch.tensor([[0.0], [0.25], [1.0]]).double()
    torch.testing.assert_close(said.log(), fraction * large.log() + (1 - fraction) * small.log())
    assert torch.equal(go(learned, DDPM(), grid, x), go(learned, DDPM(variance="learned"), grid, x))
    assert torch.equal(go(learned, DDPM(variance="posterior"), grid, x), go(fixed, DDPM(), grid, x))


@pytest.mark.parametrize("variance", ["posterior", "forward", "learned"])
def test_the_last_step_draws_nothing(variance: str) -> None:
    learned = Learned(process_of("ddpm"), 0.3, 0.7)
    grid, x = torch.tensor([0.001, 0.0], dtype=torch.float64), torch.ones(3, 1, dtype=torch.float64)
    ends = [go(learned, DDPM(variance=variance), grid, x, Constant(c)) for c in (0.0, 5.0)]
    assert torch.equal(*ends)
    torch.testing.assert_close(ends[0], learned(x, grid[0]).mean)


def test_a_variance_that_does_not_exist_or_was_not_learned_is_an_error() -> None:
    with pytest.raises(SampleError, match=r"no variance 'lerned'\. Did you mean 'learned'"):
        DDPM(variance="lerned")
    exact, grid = ExactGaussian(process_of("vp"), 0.3, 0.7), torch.tensor([0.7, 0.6]).double()
    with pytest.raises(SampleError, match="did not learn the variance"):
        go(exact, DDPM(variance="learned"), grid, torch.ones(2, 1).double())


def test_a_chain_has_only_so_many_steps() -> None:
    """Only for the sampler that follows the chain; between its points others may step."""
    process = GaussianProcess(ChainDDPM(steps=10))
    exact, x = ExactGaussian(process, 0.3, 0.7), torch.ones(2, 1).double()
    whole, finer = (torch.linspace(1, 0, n + 1, dtype=torch.float64) for n in (10, 11))
    go(exact, DDPM(), whole, x)
    with pytest.raises(SampleError, match=r"11 steps of ddpm: the chain .* has 10, so give --steps 10"):
        go(exact, DDPM(), finer, x)
    assert bool(go(exact, DDIM(), finer, x).isfinite().all())
    assert bool(go(ExactGaussian(process_of("vp"), 0.3, 0.7), DDPM(), finer, x).isfinite().all())


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


@pytest.mark.parametrize("chain", ["ddpm", "ddpm-cosine", "ddpm to zero"])
@pytest.mark.parametrize("steps", [1000, 250, 10])
def test_equal_steps_from_pure_noise_visit_points_of_the_chain(chain: str, steps: int) -> None:
    grid = uniform(process_of(chain), steps, start=float("inf"))
    expected = torch.arange(1000, -1, -1000 // steps, dtype=torch.float64) / 1000
    torch.testing.assert_close(grid, expected, rtol=0, atol=1e-12)


def test_more_steps_than_the_chain_has_are_refused_before_drawing() -> None:
    model = small_model(schedule={"kind": "ddpm", "steps": 20, "zero_terminal": True})
    assert model.settings(sampler="ddpm", steps=20).steps == 20
    with pytest.raises(SampleError, match=r"1500 steps of ddpm.*--steps 20"):
        model.settings(sampler="ddpm", steps=1500)
    assert model.settings(sampler="ddim", steps=1500).steps == 1500
    assert small_model().settings(sampler="ddpm", steps=1500).steps == 1500
