"""Schedules of what is kept, and what counts as a token."""

from __future__ import annotations

import math

import pytest
import torch

from unfog.errors import ConfigError, DataError
from unfog.process import DISCRETE, KEEPS, GeometricKeep, LinearKeep, MaskedProcess, PolynomialKeep
from unfog.process.discrete import check_tokens

TIMES = torch.linspace(0.01, 0.99, 23, dtype=torch.float64)


@pytest.mark.parametrize("name", KEEPS)
def test_the_rate_is_the_derivative(name: str) -> None:
    keep, t = KEEPS[name](), TIMES.clone().requires_grad_()
    (slope,) = torch.autograd.grad(keep.alpha(t).sum(), t)
    torch.testing.assert_close(keep.alpha_rate(TIMES), slope, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", KEEPS)
def test_time_is_the_inverse_and_stays_within_its_ends(name: str) -> None:
    keep = KEEPS[name]()
    torch.testing.assert_close(keep.time(keep.alpha(TIMES)), TIMES, rtol=1e-7, atol=1e-9)
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(keep.alpha(ends), 1 - ends, rtol=0, atol=1e-15)
    found = keep.time(torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert float(found.min()) >= 0 and float(found.max()) <= 1
    torch.testing.assert_close(found, ends, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", KEEPS)
def test_ever_less_is_kept(name: str) -> None:
    keep, t = KEEPS[name](), torch.linspace(0, 1, 101, dtype=torch.float64)
    assert bool((keep.alpha(t).diff() <= 0).all()) and bool((keep.alpha_rate(t) <= 0).all())


def test_a_power_of_one_is_linear() -> None:
    torch.testing.assert_close(PolynomialKeep(1.0).alpha(TIMES), LinearKeep().alpha(TIMES))


@pytest.mark.parametrize("name", DISCRETE)
def test_shares_broadcast_against_tokens(name: str) -> None:
    process = DISCRETE[name](5)
    assert isinstance(process.keep, LinearKeep)  # the default
    x = torch.zeros(3, 4, dtype=torch.long)
    assert process.share(torch.tensor([0.1, 0.2, 0.3]), like=x).shape == (3, 1)
    assert process.share(0.25).dtype == torch.float64
    assert process.numbers(0.25) == (0.75, 0.25)
    kept, lost = process.scales(torch.tensor(0.25), like=x)
    assert (float(kept), float(lost)) == (0.75, 0.25)
    assert float(process.log_ratio(0.25)) == pytest.approx(math.log(3))
    assert float(process.log_ratio(0.0)) == math.inf and float(process.log_ratio(1.0)) == -math.inf


@pytest.mark.parametrize("power", [0.0, -1.0, math.inf, math.nan])
def test_powers_that_lose_nothing_are_refused(power: float) -> None:
    with pytest.raises(ConfigError, match=r"keep\.power"):
        PolynomialKeep(power)


@pytest.mark.parametrize("rates", [(0.0, 1.0), (2.0, 1.0), (1.0, math.inf)])
def test_rates_that_do_not_grow_are_refused(rates: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="rate_min"):
        GeometricKeep(*rates)


@pytest.mark.parametrize("name", DISCRETE)
def test_a_vocabulary_of_one_token_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="vocabulary of 1"):
        DISCRETE[name](1)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(2, 2), "float32"),
        (torch.zeros(2, 2, dtype=torch.bool), "bool"),
        (torch.tensor([[0, 3]]), "no token 3"),
        (torch.tensor([[-1, 0]]), "no token -1"),
    ],
)
def test_what_is_no_token_is_named(x: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_tokens(x, 3)
    with pytest.raises(DataError, match=message):
        MaskedProcess(4).corrupt(x, torch.tensor(0.5), None)  # type: ignore[arg-type]
