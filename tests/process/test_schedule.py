"""Every schedule against what it promises: falling, differentiable, invertible, and the published numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.given import small_model
from unfog.errors import ConfigError
from unfog.process import DDPM, EDM, VE, VP, Cosine, DDPMCosine, Flow, Schedule, SubVP
from unfog.verify.check import schedules

ALL = [pytest.param(schedule, id=name) for name, schedule in schedules().items()]
# between the points of the DDPM chain, where its slope jumps
INNER = (torch.arange(20, 980, 24, dtype=torch.float64) + 0.37) / 1000
FINE = torch.linspace(0, 1, 2001, dtype=torch.float64)


@pytest.mark.parametrize("schedule", ALL)
def test_signal_falls_and_noise_rises(schedule: Schedule) -> None:
    alpha, sigma, clock = schedule.alpha(FINE), schedule.sigma(FINE), schedule.log_ratio(FINE)
    assert bool((alpha.diff() <= 0).all()) and bool((sigma.diff() >= 0).all())
    assert bool((clock[1:-1].diff() < 0).all())


@pytest.mark.parametrize("schedule", ALL)
def test_it_begins_with_the_data_and_ends_in_noise(schedule: Schedule) -> None:
    zero, one = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    assert float(schedule.alpha(zero)) == 1.0
    assert 0 <= float(schedule.sigma(zero)) <= 0.002 + 1e-12
    assert math.copysign(1, float(schedule.sigma(zero))) == 1, "minus zero turns infinities around"
    assert float(schedule.log_ratio(zero)) > 6 and float(schedule.log_ratio(one)) < -4
    assert float(schedule.sigma_rate(zero)) > 0


@pytest.mark.parametrize("schedule", ALL)
def test_rates_are_the_derivatives_by_autograd(schedule: Schedule) -> None:
    t = INNER.clone().requires_grad_()
    (by_autograd,) = torch.autograd.grad(schedule.sigma(t).sum(), t)
    torch.testing.assert_close(schedule.sigma_rate(INNER), by_autograd, rtol=1e-9, atol=1e-12)
    if schedule.alpha(t).requires_grad:
        (by_autograd,) = torch.autograd.grad(schedule.alpha(t).sum(), t)
    else:
        by_autograd = torch.zeros_like(INNER)
    torch.testing.assert_close(schedule.alpha_rate(INNER), by_autograd, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("schedule", ALL)
def test_rates_are_the_derivatives_by_finite_differences(schedule: Schedule) -> None:
    step = 1e-6
    for value, rate in ((schedule.alpha, schedule.alpha_rate), (schedule.sigma, schedule.sigma_rate)):
        slope = (value(INNER + step) - value(INNER - step)) / (2 * step)
        torch.testing.assert_close(rate(INNER), slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("schedule", ALL)
@given(clock=st.floats(-4.3, 6.1))
def test_time_inverts_the_clock(schedule: Schedule, clock: float) -> None:
    t = schedule.time(torch.tensor(clock, dtype=torch.float64))
    assert 0 <= float(t) <= 1
    assert float(schedule.log_ratio(t)) == pytest.approx(clock, abs=1e-8)


@pytest.mark.parametrize("schedule", ALL)
def test_the_clock_inverts_time(schedule: Schedule) -> None:
    t = torch.linspace(0.001, 0.999, 777, dtype=torch.float64)
    torch.testing.assert_close(schedule.time(schedule.log_ratio(t)), t, rtol=0, atol=1e-9)


@pytest.mark.parametrize("schedule", ALL)
def test_a_clock_beyond_the_schedule_means_its_end(schedule: Schedule) -> None:
    clock = torch.tensor([60.0, -60.0], dtype=torch.float64)
    torch.testing.assert_close(schedule.time(clock), torch.tensor([0.0, 1.0], dtype=torch.float64))


@pytest.mark.parametrize("schedule", ALL)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_everything_is_elementwise_and_keeps_type_and_shape(
    schedule: Schedule, shape: tuple[int, ...]
) -> None:
    t = torch.full(shape, 0.3, dtype=torch.float32)
    for each in (
        schedule.alpha,
        schedule.sigma,
        schedule.alpha_rate,
        schedule.sigma_rate,
        schedule.log_ratio,
    ):
        assert each(t).shape == shape and each(t).dtype == torch.float32
        torch.testing.assert_close(each(t), each(t.double()).float(), rtol=1e-5, atol=1e-6)
    assert schedule.time(schedule.log_ratio(t)).dtype == torch.float32


@pytest.mark.parametrize(
    "schedule",
    [
        Cosine(),
        VP(),
        VP(0.01, 12.0),
        DDPM(),
        DDPM(50, 0.002, 0.4),
        DDPM(zero_terminal=True),
        DDPMCosine(),
        DDPMCosine(20, zero_terminal=True),
    ],
)
def test_variance_is_preserved(schedule: Schedule) -> None:
    torch.testing.assert_close(
        schedule.alpha(FINE) ** 2 + schedule.sigma(FINE) ** 2, torch.ones_like(FINE), rtol=0, atol=1e-12
    )


def test_vp_solves_its_own_equation() -> None:
    """d log alpha / dt = -beta(t) / 2 with the betas of Song et al. 2021, appendix C."""
    torch.testing.assert_close(
        VP().alpha_rate(INNER) / VP().alpha(INNER), -0.5 * (0.1 + INNER * 19.9), rtol=1e-12, atol=0
    )


def test_cosine_is_a_quarter_turn() -> None:
    angle = FINE * math.pi / 2
    torch.testing.assert_close(Cosine().alpha(FINE), angle.cos(), rtol=0, atol=1e-15)
    torch.testing.assert_close(Cosine().sigma(FINE), angle.sin(), rtol=0, atol=1e-15)
    assert float(Cosine().alpha(FINE[-1])) == 0.0, "no trace of data, not even 6e-17"


def test_flow_is_a_straight_line() -> None:
    x, e = 3.0, -2.0
    path = Flow().alpha(FINE) * x + Flow().sigma(FINE) * e
    torch.testing.assert_close(path, x + FINE * (e - x))


def test_ve_is_geometric_and_edm_polynomial() -> None:
    """Song & Ermon 2019; Karras et al. 2022, equation 5, whose step i of N is t = 1 - i / (N - 1)."""
    assert float(VE().sigma(torch.tensor(0.5))) == pytest.approx(math.sqrt(0.002 * 80), rel=1e-6)
    i = np.arange(18)
    karras = (80 ** (1 / 7) + i / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    ours = EDM().sigma(torch.from_numpy(1 - i / 17)).numpy()
    np.testing.assert_allclose(ours, karras, rtol=1e-9)


def test_options_move_the_ends() -> None:
    one = torch.ones((), dtype=torch.float64)
    assert float(VE(0.01, 50.0).sigma(one)) == pytest.approx(50)
    assert float(EDM(0.01, 50.0, rho=3.0).sigma(0 * one)) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        (VP, {"beta_max": -20.0}, "0 < beta_min <= beta_max"),
        (VP, {"beta_min": 0.0}, "beta_min = 0.0"),
        (VP, {"beta_min": math.nan}, "beta_min = nan"),
        (SubVP, {"beta_min": 30.0}, "beta_min = 30.0 and schedule.beta_max = 20.0"),
        (VE, {"sigma_min": 100.0}, "0 < sigma_min < sigma_max"),
        (VE, {"sigma_max": math.inf}, "sigma_max = inf"),
        (EDM, {"sigma_min": -1.0}, "sigma_min = -1.0"),
        (EDM, {"sigma_min": 80.0}, "0 <= sigma_min < sigma_max"),
        (EDM, {"rho": 0.0}, "rho = 0.0"),
    ],
)
def test_options_that_do_not_lose_the_data_are_named(
    kind: type[Schedule], options: dict[str, float], named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        kind(**options)


def test_constant_betas_lose_the_data_too() -> None:
    t = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
    torch.testing.assert_close(VP(8.0, 8.0).alpha(t), torch.exp(-4 * t))
    torch.testing.assert_close(VP(8.0, 8.0).time(VP(8.0, 8.0).log_ratio(t)), t)


@pytest.mark.parametrize(
    "schedule",
    [
        {"kind": "vp", "beta_max": -3.0},
        {"kind": "ve", "sigma_min": 100.0},
        {"kind": "ddpm", "beta_last": 2.0},
        {"kind": "ddpm-cosine", "steps": 1},
    ],
)
def test_a_schedule_that_does_not_lose_the_data_builds_no_model(schedule: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"schedule\."):
        small_model(schedule=schedule)
