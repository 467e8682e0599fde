"""The objective: weights against what they stand for, times against their law."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.given import Saying, process_of, small_model, time_at
from unfog.denoise import TARGETS, ExactGaussian, GaussianDenoiser
from unfog.process import SCHEDULES
from unfog.rng import Noise, stratified
from unfog.train import WEIGHTS, Objective, TrainConfig
from unfog.train.objective import DEFAULT_SPREAD, denoising_loss, draw_times, noise_law

CLOCKS = torch.linspace(-4, 4, 17, dtype=torch.float64)


def output_factor(target: str, schedule: str) -> Tensor:
    """How much larger the squared error of the network's output is than that of the clean estimate.

    At a given x_t, an error dx of the clean data is an error -alpha / sigma dx of the noise; so the output
    a x + b e is off by (a - b alpha / sigma) dx.
    """
    process = process_of(schedule)
    t = process.schedule.time(CLOCKS)
    a, b = TARGETS[target](process, t, torch.zeros(len(t), dtype=torch.float64))
    alpha, sigma = process.scales(t)
    return (a - b * alpha / sigma) ** 2


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("weight", "target"), [("data", "data"), ("noise", "noise"), ("v", "v")])
def test_a_weight_is_the_plain_error_of_a_target(weight: str, target: str, schedule: str) -> None:
    """DDPM's simple loss is the error of the noise; EDM's, which is v's, that of v: on any schedule."""
    torch.testing.assert_close(WEIGHTS[weight](2 * CLOCKS), output_factor(target, schedule))


def test_the_weight_of_flow_matching_is_the_error_of_its_velocity() -> None:
    found = WEIGHTS["flow"](2 * CLOCKS)
    torch.testing.assert_close(found, output_factor("velocity", "flow"))
    torch.testing.assert_close(found, process_of("flow").schedule.time(CLOCKS) ** -2)


def test_edms_weight_is_v() -> None:
    """(sigma^2 + sd^2) / (sigma sd)^2 for data of std 1 (Karras et al. 2022, table 1)."""
    sigma = torch.exp(-CLOCKS)
    torch.testing.assert_close(WEIGHTS["v"](2 * CLOCKS), (sigma**2 + 1) / sigma**2)


def test_min_snr_is_cut_at_5() -> None:
    """Hang et al. 2023, in terms of the clean estimate."""
    snr = torch.tensor([0.1, 4.9, 5.0, 5.1, 1e4])
    torch.testing.assert_close(WEIGHTS["min-snr"](snr.log()), torch.tensor([0.1, 4.9, 5.0, 5.0, 5.0]))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_times_follow_the_law_on_every_schedule(schedule: str) -> None:
    """The quantiles of a normal law of log(sigma / alpha), exactly."""
    process = process_of(schedule)
    quantiles = torch.tensor([0.5, 0.8413447460685429, 0.15865525393145707], dtype=torch.float64)
    level = -process.log_ratio(draw_times(process, quantiles, -0.8, 1.2))
    torch.testing.assert_close(level, torch.tensor([-0.8, 0.4, -2.0], dtype=torch.float64), rtol=0, atol=1e-6)
    many = -process.log_ratio(draw_times(process, stratified(4096, Noise(0)), 0.3, 0.9))
    assert float(many.mean()) == pytest.approx(0.3, abs=0.01)
    assert float(many.std()) == pytest.approx(0.9, rel=0.01)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_rarest_times_are_still_times(schedule: str) -> None:
    t = draw_times(process_of(schedule), torch.tensor([0.0, 1 - 2**-24, 1.0]), -0.8, 3.0)
    assert t.dtype == torch.float64 and bool(((t >= 0) & (t <= 1)).all())


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("weight", WEIGHTS)
def test_the_best_denoiser_has_the_loss_of_the_posteriors_variance(schedule: str, weight: str) -> None:
    """s^2 sigma^2 / (alpha^2 s^2 + sigma^2) for Gaussian data; 40,000 values, five standard errors."""
    process, std, count = process_of(schedule), 0.7, 40_000
    t = time_at(process, 0.4)
    alpha, sigma = (float(s) for s in process.scales(t))
    x, e = 0.3 + std * torch.randn(count, 1).double(), torch.randn(count, 1).double()
    loss = denoising_loss(ExactGaussian(process, 0.3, std), x, t, e, WEIGHTS[weight])
    expected = std**2 * sigma**2 / (alpha**2 * std**2 + sigma**2)
    expected *= float(WEIGHTS[weight](torch.tensor(0.8)))
    assert loss.shape == (count,)
    assert float(loss.mean()) == pytest.approx(expected, rel=5 * (2 / count) ** 0.5)


def test_the_loss_is_the_plain_error_of_what_the_network_says() -> None:
    """With v and its weight, nothing is left of preconditioning: the mean of (said - v)^2."""
    process = process_of("cosine")
    x, e, said = (torch.randn(5, 3, dtype=torch.float64) for _ in range(3))
    t = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
    loss = denoising_loss(GaussianDenoiser(Saying(said), process), x, t, e, WEIGHTS["v"])
    alpha, sigma = (s[:, None] for s in process.scales(t))
    torch.testing.assert_close(loss, (said - (alpha * e - sigma * x)).square().mean(1))


def test_labels_steer_and_may_be_absent() -> None:
    model = small_model()
    objective = Objective(model.denoiser, model.encoder, TrainConfig())
    x, e = torch.randn(2, 2, 1, 8, 8)
    t = torch.full((2,), 0.5)
    cat, dog = (objective(x, t, e, torch.full((2,), label)) for label in (0, 1))
    assert cat.shape == (2,) and not torch.allclose(cat, dog)
    assert bool(objective(x, t, e).isfinite().all())
    free = small_model(classes=())
    ignored = Objective(free.denoiser, free.encoder, TrainConfig())
    assert torch.equal(ignored(x, t, e, torch.zeros(2).long()), ignored(x, t, e))


def test_denoiser_and_encoder_are_trained_together() -> None:
    model = small_model()
    names = dict(Objective(model.denoiser, model.encoder, TrainConfig()).named_parameters())
    assert "encoder.table.weight" in names
    assert sum(p.numel() for p in names.values()) == model.count_parameters()


@pytest.mark.parametrize(("mean", "expected"), [(1.5, 1.5), (None, noise_law(DEFAULT_SPREAD)[0])])
def test_times_are_the_configured_ones(mean: float | None, expected: float) -> None:
    model = small_model()
    objective = Objective(model.denoiser, model.encoder, TrainConfig(noise_mean=mean))
    level = -model.denoiser.process.log_ratio(objective.times(torch.tensor([0.5])))
    assert float(level) == pytest.approx(expected, abs=1e-6)


def test_larger_pictures_are_shown_with_more_noise() -> None:
    """One standard deviation to either side reaches from 1/e to the spread."""
    for spread in (2.0, 7.4, 60.0):
        mean, std = noise_law(spread)
        assert mean - std == pytest.approx(-1)
        assert mean + std == pytest.approx(math.log(spread))
