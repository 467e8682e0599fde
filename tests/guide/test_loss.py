"""Guidance by a loss is Bayes' rule where the loss is exact, and works wherever sampling runs."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.given import process_of, time_at
from unfog.condition import NONE, Condition
from unfog.denoise import ExactGaussian, ExactMixture, GaussianPosterior
from unfog.errors import SampleError
from unfog.guide import LossGuided
from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.sample import DPMSolver2M, log_snr, trajectory

MEAN, STD = 0.3, 0.7  # of the data
SEEN, BLUR = 1.5, 0.4  # y = x + BLUR e was measured
PRECISION = 1 / STD**2 + 1 / BLUR**2
GIVEN = ((MEAN / STD**2 + SEEN / BLUR**2) / PRECISION, PRECISION**-0.5)  # mean and std of x given y


def unlikely(posterior: GaussianPosterior) -> Tensor:
    """-log p(y | x_t): the clean estimate is off by a variance of its own."""
    left = posterior.sigma**2 * STD**2 / (posterior.alpha**2 * STD**2 + posterior.sigma**2)
    return ((posterior.mean - SEEN) ** 2 / (2 * (BLUR**2 + left))).sum(1)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("clock", [3.0, 0.0, -2.0])
def test_what_was_measured_through_noise_is_known(schedule: str, clock: float) -> None:
    process = process_of(schedule)
    t, x_t = time_at(process, clock), torch.randn(5, 2, dtype=torch.float64)
    found = LossGuided(ExactGaussian(process, MEAN, STD), unlikely)(x_t, t)
    truth = ExactGaussian(process, *GIVEN)(x_t, t)
    torch.testing.assert_close(found.mean, truth.mean)
    torch.testing.assert_close(found.score, truth.score)
    assert found.x_t is x_t and not found.mean.requires_grad


def test_sampling_ends_at_the_data_given_the_measurement() -> None:
    process = process_of("cosine")
    grid = log_snr(process, 200, 20.0, 0.01)[:-1]
    x = 20 * process.scales(grid[0])[0] * torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]
    guided = LossGuided(ExactGaussian(process, MEAN, STD), unlikely)
    *_, last = trajectory(guided, DPMSolver2M(), grid, x, rng=Noise(0))
    expected = ExactGaussian(process, *GIVEN).flow_map(x, float(grid[0]), float(grid[-1]))
    torch.testing.assert_close(last.x_s, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("wanted", [0, 1])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_class_of_a_mixture_is_its_component(schedule: str, wanted: int) -> None:
    """The classifier of x_t is exact: p(k | x_t) from the densities of the components."""
    process = process_of(schedule)
    t, x_t = time_at(process, -0.3), 2 * torch.randn(6, 2, dtype=torch.float64)
    centres, weights = torch.tensor([[-1.0, 0.5], [1.5, -0.2]]).double(), torch.tensor([0.3, 0.7]).double()
    parts = [ExactGaussian(process, centre, 0.5) for centre in centres]

    def cross_entropy(posterior: GaussianPosterior) -> Tensor:
        joint = [w.log() + part.log_density(posterior.x_t, t) for w, part in zip(weights, parts, strict=True)]
        return -torch.stack(joint, 1).log_softmax(1)[:, wanted]

    found = LossGuided(ExactMixture(process, centres, 0.5, weights), cross_entropy)(x_t, t).mean
    torch.testing.assert_close(found, parts[wanted](x_t, t).mean)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_score_falls_by_scale_times_the_gradient(scale: float) -> None:
    process, t = process_of("vp"), torch.tensor([0.2, 0.5, 0.8], dtype=torch.float64)
    exact, x_t = ExactGaussian(process, MEAN, STD), torch.randn(3, 2, dtype=torch.float64)
    x = x_t.clone().requires_grad_()
    (slope,) = torch.autograd.grad(exact(x, t).mean.pow(3).sum(), x)
    found = LossGuided(exact, lambda posterior: posterior.mean.pow(3).sum(1), scale)(x_t, t).score
    torch.testing.assert_close(found, exact(x_t, t).score - scale * slope)


def test_straight_on_is_exact_for_white_data_of_variance_1() -> None:
    """There the denoiser's derivative is what the cheap way takes it to be; elsewhere it is not."""
    process, x_t = process_of("cosine"), torch.randn(4, 2, dtype=torch.float64)
    t = time_at(process, 0.2)
    for std, same in ((1.0, True), (0.5, False)):
        exact = ExactGaussian(process, 0.0, std)
        dear, cheap = (
            LossGuided(exact, lambda posterior: posterior.mean.pow(4).sum(1), through=through)(x_t, t).mean
            for through in (True, False)
        )
        assert torch.allclose(dear, cheap) is same


def test_at_0_it_is_off_to_the_last_bit() -> None:
    process, t, x_t = process_of("cosine"), torch.tensor(0.5), torch.randn(4, 2)
    exact = ExactGaussian(process, MEAN, STD)
    assert torch.equal(LossGuided(exact, unlikely, 0.0)(x_t, t).mean, exact(x_t, t).mean)


@pytest.mark.parametrize("through", [True, False])
def test_inference_mode_is_no_obstacle(through: bool) -> None:
    process = process_of("cosine")
    guided = LossGuided(ExactGaussian(process, MEAN, STD), unlikely, through=through)
    x_t, t = torch.randn(4, 2), torch.tensor(0.5, dtype=torch.float64)
    outside = guided(x_t, t).mean
    with torch.inference_mode():
        inside = guided(x_t * 1, t * 1, Condition(vector=torch.ones(4, 1))).mean
        assert torch.is_inference_mode_enabled()
    torch.testing.assert_close(inside, outside)


@pytest.mark.parametrize("through", [True, False])
def test_a_neighbour_changes_nothing(through: bool) -> None:
    process, t = process_of("cosine"), torch.tensor(0.5)
    guided = LossGuided(ExactGaussian(process, MEAN, STD), unlikely, through=through)
    x_t = torch.randn(4, 2)
    torch.testing.assert_close(guided(x_t, t).mean[:1], guided(x_t[:1], t).mean)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_where_there_is_no_signal_it_stays_finite(schedule: str) -> None:
    process = process_of(schedule)
    for t in (torch.tensor(1.0), torch.tensor([1.0, 0.5, 0.999])):
        mean = LossGuided(ExactGaussian(process, MEAN, STD), unlikely)(torch.randn(3, 2), t, NONE).mean
        assert bool(mean.isfinite().all())


@pytest.mark.parametrize(
    "loss",
    [
        lambda posterior: posterior.mean.sum(),
        lambda posterior: posterior.mean,
        lambda posterior: posterior.mean.detach().sum(1),
        lambda posterior: math.pi,
    ],
)
def test_what_is_no_loss_is_refused_in_words(loss: object) -> None:
    guided = LossGuided(ExactGaussian(process_of("cosine"), MEAN, STD), loss)  # type: ignore[arg-type]
    with pytest.raises(SampleError, match=r"one differentiable number for each of 4 examples"):
        guided(torch.randn(4, 2), torch.tensor(0.5))
