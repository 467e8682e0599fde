"""Densities against closed forms: a Gaussian, a mixture, and the bound that equals the entropy."""

from __future__ import annotations

import math

import pytest
import torch

from tests.given import process_of
from unfog.denoise import ExactGaussian, ExactMixture
from unfog.errors import SampleError
from unfog.evaluate.likelihood import density_bound, log_density
from unfog.process import SCHEDULES
from unfog.rng import Noise

SMALL = {"low": 0.003, "high": 50.0}  # within reach of every schedule


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_gaussian_has_its_own_density_on_every_schedule(schedule: str) -> None:
    exact = ExactGaussian(process_of(schedule), 0.0, torch.tensor([0.5, 1.0, 1.4]).double())
    x = torch.randn(6, 3, dtype=torch.float64)
    found = log_density(exact, x, low=1e-3 if schedule not in ("ve", "edm") else 0.003, high=70.0)
    torch.testing.assert_close(found.nats, exact.log_density(x), rtol=0, atol=3e-3)
    assert 20 < found.calls < 400


def test_a_mixture_has_its_own_density() -> None:
    process = process_of("cosine")
    means = torch.tensor([[-1.0, 0.5], [1.0, -0.5], [0.0, 0.0]], dtype=torch.float64)
    mixture = ExactMixture(process, means, 0.3, torch.tensor([0.5, 0.3, 0.2]).double())
    x = torch.cat([mixture.draw(5, Noise(1)), torch.tensor([[3.0, 3.0]], dtype=torch.float64)])
    found = log_density(mixture, x, low=1e-3, high=1e3, tolerance=1e-7)
    torch.testing.assert_close(found.nats, mixture.log_density(x), rtol=1e-3, atol=1e-3)


def test_the_estimated_trace_is_right_on_average() -> None:
    """In 80 dimensions the trace is estimated; here the derivative is diagonal, where signs make no error."""
    exact = ExactGaussian(process_of("flow"), 0.0, torch.linspace(0.4, 1.5, 80).double())
    x = torch.randn(3, 80, dtype=torch.float64)
    found = log_density(exact, x, low=1e-3, high=1e3)
    torch.testing.assert_close(found.nats, exact.log_density(x), rtol=1e-4, atol=0.02)


def test_random_signs_average_out() -> None:
    """A derivative that is not diagonal: single estimates differ, their mean is the whole trace."""
    from unfog.evaluate import likelihood

    turn = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64))[0]
    means = torch.randn(4, 5, dtype=torch.float64) @ turn
    mixture, y = ExactMixture(process_of("cosine"), means, 0.2), torch.randn(1, 5, dtype=torch.float64)
    _, whole = likelihood._clean_and_trace(mixture, y, 0.8, likelihood.NONE, None)
    many, rng = y.repeat(4000, 1), Noise(2)
    _, guesses = likelihood._clean_and_trace(
        mixture, many, 0.8, likelihood.NONE, likelihood._signs(many, rng)
    )
    assert float(guesses.std()) > 0.01
    assert float(guesses.mean()) == pytest.approx(float(whole), abs=5 * float(guesses.std()) / 4000**0.5)


@pytest.mark.parametrize("schedule", ["cosine", "vp", "ve", "flow"])
def test_the_bound_of_the_exact_denoiser_is_the_entropy(schedule: str) -> None:
    """Kingma et al. 2021: with the optimal denoiser nothing is lost but the estimate's own noise."""
    exact = ExactGaussian(process_of(schedule), 0.0, 0.8)
    x = 0.8 * torch.randn(4000, 1, dtype=torch.float64)
    found = density_bound(exact, x, levels=128, rng=Noise(3), **SMALL)
    entropy = 0.5 * math.log(2 * math.pi * math.e * 0.8**2)
    assert float(-found.mean()) == pytest.approx(entropy, abs=5 * float(found.std()) / 4000**0.5 + 2e-3)


def test_the_bound_lies_below_the_exact_density_for_a_wrong_denoiser() -> None:
    process = process_of("cosine")
    wrong = ExactGaussian(process, 0.0, 0.5)  # the model; data is wider
    x = torch.randn(2000, 1, dtype=torch.float64)
    exact = float(log_density(wrong, x, low=1e-3, high=1e3).nats.mean())
    assert float(wrong.log_density(x).mean()) == pytest.approx(exact, abs=1e-2)
    assert float(density_bound(wrong, x, levels=256, low=1e-3, high=1e3).mean()) < exact + 0.05


def test_nan_is_named() -> None:
    exact = ExactGaussian(process_of("cosine"), float("nan"), 1.0)
    with pytest.raises(SampleError, match="NaN"):
        log_density(exact, torch.randn(2, 2))
