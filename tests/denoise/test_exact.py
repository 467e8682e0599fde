"""The ground truth, checked against slower truths: integrals, automatic derivatives, a solved ODE."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import trapezoid
from torch import Tensor

from tests.given import process_of
from unfog.denoise import ExactGaussian, ExactMixture, exact_dataset
from unfog.process import SCHEDULES
from unfog.rng import Noise

MEANS = torch.tensor([[-1.3], [0.2], [1.9]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
STD = 0.35
CLEAN = np.linspace(-8, 8, 40_001)
SEEN = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]


def normal(x: np.ndarray, mean: float | np.ndarray, std: float) -> np.ndarray:
    return np.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


def mixture_density(x: np.ndarray) -> np.ndarray:
    return sum(w * normal(x, m, STD) for w, m in zip(WEIGHTS.numpy(), MEANS[:, 0].numpy(), strict=True))


def gaussian_density(x: np.ndarray) -> np.ndarray:
    return normal(x, 0.3, 0.7)


def integrate(density: np.ndarray, alpha: float, sigma: float, x_t: float) -> tuple[float, float]:
    """E[x | x_t] and log p(x_t) by the trapezoidal rule over clean values."""
    joint = density * normal(np.full_like(CLEAN, x_t), alpha * CLEAN, sigma)
    total = trapezoid(joint, CLEAN)
    return float(trapezoid(CLEAN * joint, CLEAN) / total), float(np.log(total))


def denoiser(kind: str, schedule: str) -> ExactMixture | ExactGaussian:
    process = process_of(schedule)
    if kind == "mixture":
        return ExactMixture(process, MEANS, STD, WEIGHTS)
    return ExactGaussian(process, 0.3, 0.7)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("kind", ["mixture", "gaussian"])
@pytest.mark.parametrize("t", [0.3, 0.6, 0.9])
def test_mean_and_density_equal_the_integrals(schedule: str, kind: str, t: float) -> None:
    exact = denoiser(kind, schedule)
    alpha, sigma = (float(s) for s in exact.process.scales(t))
    density = mixture_density(CLEAN) if kind == "mixture" else gaussian_density(CLEAN)
    x_t = SEEN * math.hypot(alpha, sigma)
    mean = exact(x_t, torch.tensor(t, dtype=torch.float64)).mean
    log_density = exact.log_density(x_t, t)
    for row, value in enumerate(x_t[:, 0].tolist()):
        expected_mean, expected_log = integrate(density, alpha, sigma, value)
        assert float(mean[row]) == pytest.approx(expected_mean, abs=1e-7)
        assert float(log_density[row]) == pytest.approx(expected_log, abs=1e-7)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("kind", ["mixture", "gaussian"])
@pytest.mark.parametrize("shape", [(5,), (2, 3, 3)])
def test_the_score_is_the_gradient_of_the_log_density(
    schedule: str, kind: str, shape: tuple[int, ...]
) -> None:
    """Tweedie's formula, in several dimensions."""
    process = process_of(schedule)
    means = torch.randn(4, *shape, dtype=torch.float64)
    weights = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    exact = (
        ExactMixture(process, means, STD, weights)
        if kind == "mixture"
        else ExactGaussian(process, means[0], means[1].exp())
    )
    t = torch.tensor([0.3, 0.7], dtype=torch.float64)
    x_t = torch.randn(2, *shape, dtype=torch.float64).requires_grad_()
    (gradient,) = torch.autograd.grad(exact.log_density(x_t, t).sum(), x_t)
    torch.testing.assert_close(exact(x_t, t).score.detach(), gradient, rtol=1e-8, atol=1e-8)


def test_a_mixture_of_one_is_a_gaussian() -> None:
    process, t = process_of("vp"), torch.tensor(0.4, dtype=torch.float64)
    x_t = torch.randn(6, 3, dtype=torch.float64)
    centre = torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64)
    one, other = ExactMixture(process, centre, 0.6), ExactGaussian(process, centre, 0.6)
    torch.testing.assert_close(one(x_t, t).mean, other(x_t, t).mean)
    torch.testing.assert_close(one.log_density(x_t, t), other.log_density(x_t, t))


@pytest.mark.parametrize("kind", ["mixture", "gaussian"])
def test_one_time_each_equals_one_time_after_the_other(kind: str) -> None:
    exact, times = denoiser(kind, "cosine"), torch.tensor([0.2, 0.5, 0.8], dtype=torch.float64)
    x_t = torch.tensor([[-1.0], [0.5], [1.5]], dtype=torch.float64)
    together = exact(x_t, times)
    for i, t in enumerate(times):
        torch.testing.assert_close(together.mean[i : i + 1], exact(x_t[i : i + 1], t).mean)
        torch.testing.assert_close(
            exact.log_density(x_t, times)[i : i + 1], exact.log_density(x_t[i : i + 1], t)
        )


def probability_flow(exact: ExactGaussian, x: Tensor, start: float, end: float, steps: int = 400) -> Tensor:
    """dx/dt = f x - g^2 score / 2, by the classical Runge-Kutta method."""

    def slope(x: Tensor, t: float) -> Tensor:
        drift, diffusion = exact.process.drift_and_diffusion(t)
        return drift * x - 0.5 * diffusion**2 * exact(x, torch.tensor(t, dtype=torch.float64)).score

    h = (end - start) / steps
    for k in range(steps):
        t = start + k * h
        a = slope(x, t)
        b = slope(x + h / 2 * a, t + h / 2)
        c = slope(x + h / 2 * b, t + h / 2)
        d = slope(x + h * c, t + h)
        x = x + h / 6 * (a + 2 * b + 2 * c + d)
    return x


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_flow_map_solves_the_probability_flow(schedule: str) -> None:
    """The chain's slope jumps at its 1,000 points, which costs the Runge-Kutta method a few digits."""
    exact = denoiser("gaussian", schedule)
    assert isinstance(exact, ExactGaussian)
    x = torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None] * float(exact.process.scales(0.9)[1])
    mapped = exact.flow_map(x, 0.9, 0.3)
    tolerance = 1e-3 if schedule.startswith("ddpm") else 1e-6
    torch.testing.assert_close(mapped, probability_flow(exact, x, 0.9, 0.3), rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(exact.flow_map(mapped, 0.3, 0.9), x)


def test_the_flow_map_keeps_quantiles() -> None:
    exact = ExactGaussian(process_of("flow"), 0.3, 0.7)
    z = torch.tensor([-1.0, 0.0, 2.0], dtype=torch.float64)
    torch.testing.assert_close(exact.flow_map(z, 1.0, 0.0), 0.3 + 0.7 * z)


def test_draws_follow_weights_and_spread() -> None:
    """20,000 draws; five standard errors."""
    mixture, count = ExactMixture(process_of("cosine"), MEANS, STD, WEIGHTS), 20_000
    x = mixture.draw(count, Noise(0))
    nearest = (x - MEANS.T).abs().argmin(1)
    # components 1.5 apart with std 0.35: a few per cent are nearer to another centre
    found = torch.bincount(nearest, minlength=3) / count
    torch.testing.assert_close(found.double(), WEIGHTS, rtol=0, atol=0.03)
    expected_mean = float((WEIGHTS * MEANS[:, 0]).sum())
    variance = float((WEIGHTS * (MEANS[:, 0] - expected_mean) ** 2).sum()) + STD**2
    assert float(x.mean()) == pytest.approx(expected_mean, abs=5 * (variance / count) ** 0.5)
    assert float(x.var()) == pytest.approx(variance, rel=0.05)


def test_a_data_set_is_remembered_at_low_noise_and_averaged_at_high() -> None:
    examples = torch.randn(7, 2, 4, 4)
    memory = exact_dataset(process_of("ve"), examples)
    near = memory(
        examples + 0.01 * torch.randn_like(examples), memory.process.schedule.time(torch.tensor(4.6))
    )
    torch.testing.assert_close(near.mean, examples, rtol=0, atol=1e-5)
    far = memory(torch.randn(3, 2, 4, 4), memory.process.schedule.time(torch.tensor(-4.3)))
    torch.testing.assert_close(far.mean, examples.mean(0).expand(3, -1, -1, -1), rtol=0, atol=0.1)


def test_weights_default_to_equal() -> None:
    torch.testing.assert_close(
        exact_dataset(process_of("ve"), torch.zeros(4, 1)).weights, torch.full((4,), 0.25)
    )
