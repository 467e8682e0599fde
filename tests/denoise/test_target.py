"""Every prediction target is a pair of coefficients that gives the clean data back, on every schedule."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.given import process_of
from unfog.denoise import TARGETS
from unfog.process import SCHEDULES

TIMES = torch.linspace(0.02, 0.98, 33, dtype=torch.float64)


def coefficients(target: str, schedule: str, t: Tensor = TIMES) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    process = process_of(schedule)
    like = torch.zeros(len(t), 1, dtype=torch.float64)
    return *TARGETS[target](process, t, like), *process.scales(t, like=like)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("target", TARGETS)
def test_round_trip(schedule: str, target: str) -> None:
    """x and e -> what the network should say -> x again."""
    a, b, alpha, sigma = coefficients(target, schedule)
    x, e = torch.randn(len(TIMES), 6, dtype=torch.float64), torch.randn(len(TIMES), 6, dtype=torch.float64)
    x_t, said = alpha * x + sigma * e, a * x + b * e
    again = (b * x_t - sigma * said) / (alpha * b - sigma * a)
    torch.testing.assert_close(again, x, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_published_names(schedule: str) -> None:
    one, zero = (
        torch.ones(len(TIMES), 1, dtype=torch.float64),
        torch.zeros(len(TIMES), 1, dtype=torch.float64),
    )
    _, _, alpha, sigma = coefficients("data", schedule)
    process = process_of(schedule)
    alpha_rate, sigma_rate = (r[:, None] for r in process.rates(TIMES))
    norm = (alpha**2 + sigma**2).sqrt()
    expected = {
        "data": (one, zero),
        "noise": (zero, one),
        "v": (-sigma / norm, alpha / norm),
        "velocity": (alpha_rate, sigma_rate),
        "score": (zero, -1 / sigma),
    }
    assert expected.keys() == TARGETS.keys(), "a new target needs its published formula here"
    for target, (a, b) in expected.items():
        found = coefficients(target, schedule)
        torch.testing.assert_close(found[0], a)
        torch.testing.assert_close(found[1], b)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_v_has_unit_variance_and_knows_nothing_of_the_input(schedule: str) -> None:
    """For data of unit variance v is uncorrelated with x_t: what is left for the network to say."""
    a, b, alpha, sigma = coefficients("v", schedule)
    torch.testing.assert_close(a**2 + b**2, torch.ones_like(a))
    torch.testing.assert_close(a * alpha + b * sigma, torch.zeros_like(a), rtol=0, atol=1e-12)


def test_velocity_of_the_straight_line_is_noise_minus_data() -> None:
    a, b, _, _ = coefficients("velocity", "flow")
    assert bool((a == -1).all()) and bool((b == 1).all())


def test_velocity_of_the_quarter_turn_is_v() -> None:
    of_velocity, of_v = coefficients("velocity", "cosine"), coefficients("v", "cosine")
    for k in (0, 1):
        torch.testing.assert_close(of_velocity[k], math.pi / 2 * of_v[k])


@pytest.mark.parametrize("schedule", ["ve", "edm"])
def test_v_is_the_preconditioning_of_edm(schedule: str) -> None:
    """Karras et al. 2022, table 1, for data of std 1: c_skip, c_out, with the sign of F turned around."""
    a, b, alpha, sigma = coefficients("v", schedule)
    skip, out = b / (alpha * b - sigma * a), -sigma / (alpha * b - sigma * a)
    torch.testing.assert_close(skip, 1 / (sigma**2 + 1))
    torch.testing.assert_close(-out, sigma / (sigma**2 + 1).sqrt())
