"""A network behind its preconditioning: any target and any schedule give the same posterior."""

from __future__ import annotations

import pytest
import torch

from tests.given import Bending, Saying, process_of, time_at
from unfog.condition import Condition
from unfog.denoise import TARGETS, ExactMixture, GaussianDenoiser
from unfog.denoise.gaussian import CLOCK_LIMIT
from unfog.errors import DataError, SampleError
from unfog.process import SCHEDULES, VE, GaussianProcess

CLOCKS = [3.0, 0.5, -1.0, -3.5]


def mixture(schedule: str) -> ExactMixture:
    means = torch.tensor([[-1.0, 0.5], [1.2, -0.7], [0.1, 1.4]], dtype=torch.float64)
    return ExactMixture(process_of(schedule), means, 0.4)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("target", TARGETS)
def test_the_exact_output_gives_the_exact_posterior(schedule: str, target: str) -> None:
    """A network that says E[a x + b e | x_t] makes the denoiser say E[x | x_t]."""
    exact = mixture(schedule)
    for clock in CLOCKS:
        t = time_at(exact.process, clock)
        x_t = torch.randn(5, 2, dtype=torch.float64) * sum(exact.process.scales(t))
        known = exact(x_t, t)
        a, b = TARGETS[target](exact.process, t, x_t)
        network = Saying(a * known.mean + b * known.noise)
        found = GaussianDenoiser(network, exact.process, TARGETS[target])(x_t, t)
        torch.testing.assert_close(found.mean, known.mean, rtol=1e-8, atol=1e-8)
        torch.testing.assert_close(found.score, known.score, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_network_sees_unit_variance_and_the_clock(schedule: str) -> None:
    """20,000 values of unit variance; five standard errors."""
    process, count = process_of(schedule), 20_000
    for clock in CLOCKS:
        t, network = time_at(process, clock), Saying(torch.zeros(count, 1))
        x_t = process.mix(torch.randn(count, 1), torch.randn(count, 1), t)
        GaussianDenoiser(network, process)(x_t, t)
        seen, told, slots = network.asked[0]
        assert float(seen.std()) == pytest.approx(1, abs=5 / (2 * count) ** 0.5)
        assert told.shape == (count,) and float(told[0]) == pytest.approx(clock, abs=1e-5)
        assert slots == {}


@pytest.mark.parametrize("schedule", ["ve", "edm"])
def test_v_on_ve_is_edm(schedule: str) -> None:
    """D(x; sigma) = c_skip x + c_out F(c_in x; ln sigma / 4), with F = -v and the clock = -ln sigma."""
    process, network = process_of(schedule), Bending(3)
    t = torch.tensor([0.3, 0.6, 0.9], dtype=torch.float64)
    x = torch.randn(3, 3, dtype=torch.float64)
    sigma = process.scales(t)[1][:, None]
    raw = -network(x / (sigma**2 + 1).sqrt(), -sigma[:, 0].log())
    expected = x / (sigma**2 + 1) + sigma / (sigma**2 + 1).sqrt() * raw
    torch.testing.assert_close(GaussianDenoiser(network, process)(x, t).mean, expected)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("target", ["data", "noise", "v"])
def test_a_network_can_be_moved_to_another_schedule(schedule: str, target: str) -> None:
    """The same answer at the same clock and direction; only velocity and score belong to a schedule."""
    here, there = process_of("cosine"), process_of(schedule)
    network = Bending(4)
    unit = torch.randn(6, 4, dtype=torch.float64)
    for clock in CLOCKS:
        means = []
        for process in (here, there):
            t = time_at(process, clock)
            alpha, sigma = process.scales(t)
            denoiser = GaussianDenoiser(network, process, TARGETS[target])
            means.append(denoiser(unit * (alpha**2 + sigma**2).sqrt(), t).mean)
        torch.testing.assert_close(means[0], means[1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_ends_of_time_are_finite(schedule: str) -> None:
    """At t = 0 and t = 1 the clock may be infinite; the network is told a number, and v gives a mean."""
    process = process_of(schedule)
    network = Saying(torch.ones(2, 3))
    for t in (0.0, 1.0):
        posterior = GaussianDenoiser(network, process)(torch.ones(2, 3), torch.tensor(t))
        assert bool(posterior.mean.isfinite().all())
        assert float(network.asked[-1][1].abs().max()) <= CLOCK_LIMIT
    clean = GaussianDenoiser(network, process_of("flow"))(torch.ones(2, 3), torch.tensor(0.0)).mean
    torch.testing.assert_close(clean, torch.ones(2, 3))


def test_one_time_each_equals_one_time_for_all() -> None:
    denoiser, x = GaussianDenoiser(Bending(3), process_of("vp")), torch.randn(4, 3, dtype=torch.float64)
    t = torch.tensor(0.6, dtype=torch.float64)
    torch.testing.assert_close(denoiser(x, t.expand(4)).mean, denoiser(x, t).mean)


def test_conditions_reach_the_network_by_slot() -> None:
    network = Saying(torch.zeros(2, 1))
    cond = Condition(vector=torch.ones(2, 5), concat=torch.zeros(2, 1, 4, 4))
    GaussianDenoiser(network, process_of("flow"))(torch.ones(2, 1), torch.tensor(0.5), cond)
    assert network.asked[0][2].keys() == {"vector", "concat"}
    assert network.asked[0][2]["vector"] is cond.vector


def test_float32_data_stays_float32() -> None:
    posterior = GaussianDenoiser(Saying(torch.zeros(2, 3)), process_of("edm"))(
        torch.ones(2, 3), torch.tensor(0.5, dtype=torch.float64)
    )
    assert posterior.mean.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("target", ["data", "noise", "v"])
def test_half_precision_is_close_to_the_truth(schedule: str, target: str, dtype: torch.dtype) -> None:
    """Coefficients are computed in float64 and combined in float32; only what is stored is coarse."""
    exact = mixture(schedule)
    for clock in (2.0, -1.0, -3.5):
        t = time_at(exact.process, clock)
        coarse = (torch.randn(5, 2, dtype=torch.float64) * sum(exact.process.scales(t))).to(dtype)
        known = exact(coarse.double(), t)
        a, b = TARGETS[target](exact.process, t, coarse.double())
        network = Saying((a * known.mean + b * known.noise).float())
        found = GaussianDenoiser(network, exact.process, TARGETS[target])(coarse, t)
        assert found.mean.dtype == dtype and network.asked[0][0].dtype == dtype
        error = torch.finfo(dtype).eps * (1 + float(known.mean.abs().max()))
        torch.testing.assert_close(found.mean.double(), known.mean, rtol=0, atol=error)


def test_half_precision_survives_large_noise() -> None:
    """300 squared is infinite in float16."""
    process = GaussianProcess(VE(sigma_max=300.0))
    x_t = torch.full((2, 3), 250.0, dtype=torch.float16)
    network = Saying(torch.zeros(2, 3))
    GaussianDenoiser(network, process)(x_t, torch.tensor(1.0))
    assert float(network.asked[0][0][0, 0]) == pytest.approx(250 / 300, rel=1e-3)


def test_whole_numbers_are_refused() -> None:
    with pytest.raises(DataError, match=r"torch.uint8: encode pictures with the model's codec"):
        GaussianDenoiser(Saying(torch.zeros(1, 3)), process_of("cosine"))(
            torch.zeros(1, 3, dtype=torch.uint8), torch.tensor(0.5)
        )


@pytest.mark.parametrize("target", ["noise", "score"])
@pytest.mark.parametrize("schedule", ["cosine", "flow", "ddpm to zero", "ddpm-cosine to zero"])
def test_noise_says_nothing_where_no_signal_is_left(schedule: str, target: str) -> None:
    process = process_of(schedule)
    denoiser = GaussianDenoiser(Saying(torch.zeros(2, 3)), process, TARGETS[target])
    assert bool(denoiser(torch.ones(2, 3), torch.tensor(0.99)).mean.isfinite().all())
    with pytest.raises(SampleError, match=f"The target '{target}' says nothing .* -inf.* --set target=v"):
        denoiser(torch.ones(2, 3), torch.tensor([0.5, 1.0]))
    for other in ("data", "v", "velocity"):
        safe = GaussianDenoiser(Saying(torch.zeros(2, 3)), process, TARGETS[other])
        assert bool(safe(torch.ones(2, 3), torch.tensor(1.0)).mean.isfinite().all())


def test_the_second_half_of_the_output_is_the_variance() -> None:
    """-1 and 1 are the posterior's and the forward step's, as Nichol & Dhariwal 2021 have it."""
    said = torch.cat([torch.zeros(2, 3), torch.tensor([[-1.0, 0.0, 1.0], [3.0, 0.5, -0.5]])], 1)
    process, x_t, t = process_of("cosine"), torch.ones(2, 3), torch.tensor(0.5)
    learned = GaussianDenoiser(Saying(said), process, variance=True)(x_t, t)
    plain = GaussianDenoiser(Saying(torch.zeros(2, 3)), process)(x_t, t)
    assert torch.equal(learned.mean, plain.mean) and plain.fraction is None
    assert learned.fraction is not None
    assert learned.fraction.tolist() == [[0.0, 0.5, 1.0], [2.0, 0.75, 0.25]]
