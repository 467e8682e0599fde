"""Classifier-free guidance where the answer is known: two Gaussians."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.given import Bending, process_of, time_at
from unfog.condition import NONE, Condition
from unfog.denoise import Denoiser, ExactGaussian, GaussianDenoiser, GaussianPosterior
from unfog.errors import SampleError
from unfog.guide import THRESHOLDS, ClassifierFree
from unfog.process import SCHEDULES, GaussianProcess
from unfog.rng import Noise
from unfog.sample import DPMSolver2M, log_snr, trajectory

ASKED, ANYTHING = (1.5, 0.6), (0.2, 0.6)  # mean and std of the data with and without condition


class TwoGaussians(Denoiser):
    """Exact for Gaussian data whose mean and std are the condition's vector; counts its calls."""

    def __init__(self, process: GaussianProcess) -> None:
        super().__init__()
        self.process, self.calls = process, 0

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        self.calls += 1
        assert cond.vector is not None and len(cond.vector) == len(x_t)
        mean, std = cond.vector[:, :1], cond.vector[:, 1:]
        posterior: GaussianPosterior = ExactGaussian(self.process, mean, std)(x_t, t)
        return posterior


def say(batch: int, what: tuple[float, float] = ASKED) -> Condition:
    return Condition(vector=torch.tensor([what] * batch, dtype=torch.float64))


def guided(
    process: GaussianProcess, scale: float, batch: int = 4, **options: tuple[float, float]
) -> ClassifierFree:
    return ClassifierFree(TwoGaussians(process), say(batch, ANYTHING), scale, **options)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("scale", [0.0, 0.5, 2.0, 7.5])
def test_of_equal_spread_it_is_a_gaussian_further_out(schedule: str, scale: float) -> None:
    """With one std, guidance is exactly the Gaussian with mean m_any + scale (m_asked - m_any)."""
    process = process_of(schedule)
    moved = ExactGaussian(process, ANYTHING[0] + scale * (ASKED[0] - ANYTHING[0]), 0.6)
    for clock in (2.0, 0.0, -3.0):
        t = time_at(process, clock)
        x_t = torch.randn(4, 2, dtype=torch.float64)
        found = guided(process, scale)(x_t, t, say(4))
        torch.testing.assert_close(found.mean, moved(x_t, t).mean)


def test_sampling_with_guidance_ends_at_that_gaussian() -> None:
    process, scale = process_of("cosine"), 3.0
    moved = ExactGaussian(process, ANYTHING[0] + scale * (ASKED[0] - ANYTHING[0]), 0.6)
    grid = log_snr(process, 200, 20.0, 0.01)[:-1]
    x = 20 * process.scales(grid[0])[0] * torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]
    *_, last = trajectory(guided(process, scale, 5), DPMSolver2M(), grid, x, say(5), rng=Noise(0))
    expected = moved.flow_map(x, float(grid[0]), float(grid[-1]))
    torch.testing.assert_close(last.x_s, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("schedule", ["vp", "ve"])
def test_of_unequal_spread_the_scores_are_extrapolated(schedule: str) -> None:
    """score = score_any + scale (score_asked - score_any), from the gradients of the exact densities."""
    process, scale, asked = process_of(schedule), 2.5, (1.5, 0.2)
    t = time_at(process, -0.5)
    x_t = torch.randn(4, 2, dtype=torch.float64).requires_grad_()
    gradients = []
    for mean, std in (asked, ANYTHING):
        (gradient,) = torch.autograd.grad(ExactGaussian(process, mean, std).log_density(x_t, t).sum(), x_t)
        gradients.append(gradient)
    found = guided(process, scale)(x_t.detach(), t, say(4, asked)).score
    torch.testing.assert_close(found, gradients[1] + scale * (gradients[0] - gradients[1]))


def test_guidance_1_is_off_to_the_last_bit_and_costs_nothing() -> None:
    process, t = process_of("cosine"), torch.tensor(0.5)
    x_t = torch.randn(4, 2)
    off = guided(process, 1.0)
    assert torch.equal(off(x_t, t, say(4)).mean, TwoGaussians(process)(x_t, t, say(4)).mean)
    assert off.inner.calls == 1


def test_both_questions_are_asked_in_one_batch() -> None:
    denoiser = guided(process_of("cosine"), 2.0)
    denoiser(torch.randn(4, 2).double(), torch.tensor(0.5), say(4))
    assert denoiser.inner.calls == 1


@pytest.mark.parametrize("interval", [(0.3, 5.0), (0.3, math.inf), (0.0, 5.0)])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_outside_of_the_interval_it_is_off(schedule: str, interval: tuple[float, float]) -> None:
    process = process_of(schedule)
    denoiser, plain = guided(process, 4.0, interval=interval), TwoGaussians(process)
    for level in (0.05, 0.29, 0.31, 1.0, 4.9, 5.1, 60.0):
        t = time_at(process, -math.log(level))
        x_t = torch.randn(4, 2, dtype=torch.float64)
        same = torch.equal(denoiser(x_t, t, say(4)).mean, plain(x_t, t, say(4)).mean)
        assert same is not (interval[0] <= level <= interval[1]), level


def test_with_one_time_each_every_example_has_its_own_interval() -> None:
    process = process_of("flow")
    denoiser, plain = guided(process, 4.0, 3, interval=(0.3, 5.0)), TwoGaussians(process)
    t = torch.stack([time_at(process, -math.log(level)) for level in (0.05, 1.0, 60.0)])
    x_t = torch.randn(3, 2, dtype=torch.float64)
    found, off = denoiser(x_t, t, say(3)).mean, plain(x_t, t, say(3)).mean
    always = guided(process, 4.0, 3)(x_t, t, say(3)).mean
    torch.testing.assert_close(found[[0, 2]], off[[0, 2]])
    torch.testing.assert_close(found[1], always[1])
    assert float((found[1] - off[1]).abs().min()) > 0.01


def test_the_start_of_time_without_any_signal_is_no_special_case() -> None:
    for interval in ((0.0, math.inf), (0.5, math.inf), (0.0, 1e9)):
        denoiser = guided(process_of("cosine"), 3.0, interval=interval)
        mean = denoiser(torch.randn(4, 2).double(), torch.tensor(1.0), say(4)).mean
        assert bool(mean.isfinite().all())


def test_a_model_without_conditions_cannot_be_guided() -> None:
    process = process_of("cosine")
    with pytest.raises(SampleError, match="--guidance"):
        ClassifierFree(GaussianDenoiser(Bending(2), process), NONE, 2.0)


def test_guidance_keeps_the_variance_of_the_condition() -> None:
    class Learned(Denoiser):
        """Says 0 or 1 for mean and fraction, as the condition does."""

        def __init__(self) -> None:
            super().__init__()
            self.process = process_of("cosine")

        def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
            assert cond.vector is not None
            said = cond.vector.expand(x_t.shape)
            return GaussianPosterior(said, x_t, *self.process.scales(t, like=x_t), said)

    here, null = Condition(vector=torch.ones(2, 1)), Condition(vector=torch.zeros(2, 1))
    guided = ClassifierFree(Learned(), null, 3.0)(torch.zeros(2, 4), torch.tensor(0.5), here)
    assert bool((guided.mean == 3).all())
    assert guided.fraction is not None and torch.equal(guided.fraction, torch.ones(2, 4))
    for threshold in THRESHOLDS.values():
        wrapped = threshold(Learned(), torch.tensor(-0.5), torch.tensor(0.5))
        clipped = wrapped(torch.zeros(2, 4), torch.tensor(0.5), here)
        assert float(clipped.mean.max()) == 0.5
        assert clipped.fraction is not None and torch.equal(clipped.fraction, torch.ones(2, 4))
