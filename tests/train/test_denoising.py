"""The objective: weights against what they stand for, times against their law."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.given import Saying, process_of, small_model, time_at
from unfog.denoise import TARGETS, ExactGaussian, GaussianDenoiser
from unfog.denoise.variance import best_fraction, gain, log_extremes, step_divergence
from unfog.evaluate.bound import chain_bound
from unfog.evaluate.likelihood import ends_of_bound
from unfog.process import DDPM as ChainDDPM
from unfog.process import SCHEDULES, Chain, DDPMCosine, GaussianProcess
from unfog.rng import Noise, stratified
from unfog.train import WEIGHTS, DenoisingObjective, TrainConfig
from unfog.train.config import WITH_GAMMA
from unfog.train.denoising import (
    ADJUSTABLE,
    DEFAULT_SPREAD,
    bound_terms,
    denoising_loss,
    draw_times,
    min_snr,
    noise_law,
    p2,
    weight_of,
)
from unfog.verify.variances import KnowsVariance, unknown

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
    torch.testing.assert_close(min_snr(1.0)(snr.log()), snr.clamp_max(1.0))


def test_p2_is_the_published_factor_on_the_error_of_the_noise() -> None:
    """1 / (k + SNR)^gamma with k = 1 (Choi et al. 2022, eq. 8), times what an error of the noise weighs."""
    snr = torch.exp(2 * CLOCKS)
    for gamma in (0.5, 1.0, 2.0):
        torch.testing.assert_close(p2(gamma)(2 * CLOCKS), WEIGHTS["noise"](2 * CLOCKS) / (1 + snr) ** gamma)
    torch.testing.assert_close(p2(0.0)(2 * CLOCKS), WEIGHTS["noise"](2 * CLOCKS))
    torch.testing.assert_close(WEIGHTS["p2"](2 * CLOCKS), snr / (1 + snr))
    assert float(WEIGHTS["p2"](torch.tensor(200.0))) == 1.0, "no overflow at almost no noise"


@pytest.mark.parametrize(("weight", "published"), [("min-snr", 5.0), ("p2", 1.0)])
def test_gamma_is_the_published_one_unless_given(weight: Any, published: float) -> None:
    default, given, other = (
        weight_of(TrainConfig(weight=weight, gamma=gamma))(2 * CLOCKS) for gamma in (None, published, 0.7)
    )
    assert torch.equal(default, given) and not torch.allclose(default, other)


def test_the_weights_with_a_gamma_are_the_adjustable_ones() -> None:
    assert set(ADJUSTABLE) == set(WITH_GAMMA)


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
    objective = DenoisingObjective(model, TrainConfig())
    x, e = torch.randint(0, 256, (2, 1, 8, 8), dtype=torch.uint8), torch.randn(2, 1, 8, 8)
    t = torch.full((2,), 0.5)
    cat, dog = (objective(x, t, e, torch.full((2,), label)) for label in (0, 1))
    assert cat.shape == (2,) and not torch.allclose(cat, dog)
    assert bool(objective(x, t, e, None).isfinite().all())
    free = small_model(classes=())
    ignored = DenoisingObjective(free, TrainConfig())
    assert torch.equal(ignored(x, t, e, torch.zeros(2).long()), ignored(x, t, e, None))


def test_denoiser_and_encoder_are_trained_together() -> None:
    model = small_model()
    names = dict(DenoisingObjective(model, TrainConfig()).named_parameters())
    assert "encoder.table.weight" in names
    assert sum(p.numel() for p in names.values()) == model.count_parameters()


@pytest.mark.parametrize(("mean", "expected"), [(1.5, 1.5), (None, noise_law(DEFAULT_SPREAD)[0])])
def test_times_are_the_configured_ones(mean: float | None, expected: float) -> None:
    model = small_model()
    objective = DenoisingObjective(model, TrainConfig(noise_mean=mean))
    level = -model.denoiser.process.log_ratio(objective.times(torch.tensor([0.5])))
    assert float(level) == pytest.approx(expected, abs=1e-6)


def test_larger_pictures_are_shown_with_more_noise() -> None:
    """One standard deviation to either side reaches from 1/e to the spread."""
    for spread in (2.0, 7.4, 60.0):
        mean, std = noise_law(spread)
        assert mean - std == pytest.approx(-1)
        assert mean + std == pytest.approx(math.log(spread))


# ---- learned variance -----------------------------------------------------------------------------


class Learner(nn.Module):
    """Exact in the mean of data from N(0, std^2), and a small network of the clock for the variance."""

    def __init__(self, process: GaussianProcess, std: float) -> None:
        super().__init__()
        self.process, self.std = process, std
        self.variance = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))

    def forward(self, x: Tensor, clock: Tensor) -> Tensor:
        t = self.process.schedule.time(clock.double())
        alpha, sigma = self.process.scales(t, like=x)
        x_t = x * (alpha**2 + sigma**2).sqrt()
        known = ExactGaussian(self.process, 0.0, self.std)(x_t, t)
        a, b = TARGETS["v"](self.process, t, x_t)
        said = self.variance(clock[:, None] / 2).expand(x.shape)
        return torch.cat([a * known.mean + b * known.noise, said], 1)


@pytest.mark.parametrize(
    "chain", [ChainDDPM(25, 0.004, 0.6), DDPMCosine(25), DDPMCosine(25, zero_terminal=True)]
)
def test_a_learned_variance_finds_that_of_gaussian_data(chain: Chain) -> None:
    """What the steps lose against the best variance, small (1 + (SNR_s - SNR_t) Var(x | x_t)), nearly goes.

    Measured in nats, as the fraction hardly matters at high noise, where small and large are almost the same.
    """
    torch.manual_seed(0)
    process, std = GaussianProcess(chain), 0.5
    network = Learner(process, std)
    denoiser = GaussianDenoiser(network, process, variance=True)
    optimiser = torch.optim.Adam(network.parameters())
    for step in range(300):
        optimiser.param_groups[0]["lr"] = 3e-2 * (1 - step / 300)
        t = draw_times(process, stratified(64, Noise(step)), 0.0, 1.2)
        x, e = std * torch.randn(64, 64), torch.randn(64, 64)
        optimiser.zero_grad()
        denoising_loss(denoiser, x, t, e, WEIGHTS["v"]).mean().backward()
        optimiser.step()
    t = process.schedule.time(torch.linspace(-2, 1.5, 15, dtype=torch.float64))
    extremes, gained = log_extremes(process, t, t - 1 / 25), gain(process, t, t - 1 / 25)
    error = unknown(process, t, std)
    with torch.no_grad():
        learned = denoiser(torch.zeros(15, 1), t).fraction
    assert learned is not None
    best = best_fraction(error, extremes, gained)

    def lost(fraction: Tensor | float) -> float:
        """Nats above the best, over all these steps."""
        terms = (step_divergence(error, f, extremes, gained).sum() for f in (fraction, best))
        return float(next(terms) - next(terms))

    assert 0 <= lost(learned[:, 0].double()) < 0.12 * min(lost(0.0), lost(1.0))
    # where it does matter it is the best one
    torch.testing.assert_close(learned[-5:, 0].double(), best[-5:], rtol=0, atol=0.1)


def test_the_bound_moves_the_variance_and_never_the_mean() -> None:
    process = process_of("cosine")
    said = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    x, e = torch.randn(2, 4, 3, dtype=torch.float64)
    t = torch.tensor([0.0015, 0.2, 0.6, 0.99], dtype=torch.float64)
    posterior = GaussianDenoiser(Saying(said), process, variance=True)(process.mix(x, e, t), t)
    terms = bound_terms(process, posterior, x, t)
    assert terms.shape == (4,) and float(terms[0].detach()) == 0, "the last step draws nothing"
    terms.sum().backward()
    assert said.grad is not None
    assert not bool(said.grad[:, :3].any()) and bool(said.grad[1:, 3:].all())
    plain = GaussianDenoiser(Saying(said.detach()[:, :3]), process)
    simple = denoising_loss(plain, x, t, e, WEIGHTS["noise"])
    hybrid = denoising_loss(
        GaussianDenoiser(Saying(said.detach()), process, variance=True), x, t, e, WEIGHTS["noise"]
    )
    torch.testing.assert_close(hybrid, simple + 0.001 * terms.detach())


def test_the_terms_are_those_of_the_bound_of_the_chain() -> None:
    """1,000 steps of continuous time, or those of the chain that it is."""
    process = GaussianProcess(ChainDDPM(steps=50))
    times = torch.linspace(1, 0.02, 50, dtype=torch.float64)
    x = torch.tensor([[0.4]], dtype=torch.float64)
    exact = KnowsVariance(process, 0.7, torch.linspace(1, 0, 51, dtype=torch.float64)[:-1])
    total = torch.zeros((), dtype=torch.float64)
    for t in times[:-1]:
        total += bound_terms(process, exact(process.mix(x, torch.ones_like(x), t), t), x, t[None])[0] / 50
    rest = ends_of_bound(x, *(float(torch.exp(-process.log_ratio(times[k]))) for k in (-1, 0)))
    whole = chain_bound(exact, x, times=times, rng=Ones(0))
    assert float(total + rest) == pytest.approx(-float(whole), rel=1e-9)


class Ones(Noise):
    """Noise of 1 everywhere."""

    def normal(self, shape: Sequence[int], like: Tensor | None = None) -> Tensor:
        return torch.ones(tuple(shape), dtype=torch.float64)
