"""Averages of weights against sums written out, and their reconstruction against averages really kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from unfog.train.ema import WIDTHS, PowerAverage, Snapshot, combination, combine, exponent
from unfog.train.fit import DENSITY

STEPS = 1500


def walk(steps: int = STEPS, size: int = 40) -> Tensor:
    """Weights that wander as in training: a random walk with a drift that dies out, (steps, size)."""
    rng = torch.Generator().manual_seed(0)
    shrinking = torch.linspace(1, 0.1, steps, dtype=torch.float64)[:, None]
    return (torch.randn(steps, size, generator=rng, dtype=torch.float64) * shrinking).cumsum(0)


def keep(path: Tensor, width: float) -> PowerAverage:
    """An average that was kept all the way."""
    average = PowerAverage({"w": path[0]}, width)
    for step, weights in enumerate(path, 1):
        average.update({"w": weights}, step)
    return average


@given(width=st.floats(0.02, 0.25))
def test_the_exponent_gives_the_width(width: float) -> None:
    """Karras et al. 2024, equation 126: the standard deviation of the profile t^gamma on [0, 1]."""
    gamma = exponent(width)
    assert (gamma + 1) / ((gamma + 2) ** 2 * (gamma + 3)) == pytest.approx(width**2, rel=1e-6)
    t = (np.arange(200_000) + 0.5) / 200_000
    share = t**gamma / (t**gamma).sum()
    assert math.sqrt((share * t**2).sum() - (share * t).sum() ** 2) == pytest.approx(width, rel=1e-3)


def test_the_published_exponents() -> None:
    assert exponent(0.05) == pytest.approx(16.97, abs=0.01)
    assert exponent(0.10) == pytest.approx(6.94, abs=0.01)


@pytest.mark.parametrize("width", WIDTHS)
def test_an_average_is_the_weighted_sum_of_all_weights(width: float) -> None:
    """Step i of t has the weight (i/t)^(gamma+1) - ((i-1)/t)^(gamma+1), which is the profile's integral."""
    path = walk(200)
    edges = (torch.arange(201, dtype=torch.float64) / 200) ** (exponent(width) + 1)
    expected = (edges.diff()[:, None] * path).sum(0)
    torch.testing.assert_close(keep(path, width).weights["w"].double(), expected, rtol=1e-4, atol=1e-4)


def test_the_first_update_forgets_the_start() -> None:
    average = PowerAverage({"w": torch.full((3,), 99.0)}, 0.1)
    average.update({"w": torch.ones(3)}, 1)
    torch.testing.assert_close(average.weights["w"], torch.ones(3))


def test_constant_weights_stay_as_they_are() -> None:
    average = PowerAverage({"w": torch.full((3,), 0.7)}, 0.05)
    for step in range(1, 500):
        average.update({"w": torch.full((3,), 0.7)}, step)
    torch.testing.assert_close(average.weights["w"], torch.full((3,), 0.7), rtol=1e-5, atol=0)


def test_an_average_shares_no_memory_with_what_it_averages() -> None:
    weights = {"w": torch.ones(3)}
    average = PowerAverage(weights, 0.1)
    snapshot = average.snapshot(4)
    weights["w"].zero_()
    average.update(weights, 5)
    assert snapshot.step == 4 and snapshot.gamma == average.gamma
    torch.testing.assert_close(snapshot.weights["w"], torch.ones(3))
    assert 0 < float(average.weights["w"][0]) < 1


def test_a_profile_is_made_of_itself() -> None:
    gammas = [exponent(width) for width in WIDTHS]
    factors = combination([100.0, 100.0], gammas, step=100.0, gamma=gammas[1])
    np.testing.assert_allclose(factors, [0, 1], atol=1e-6)


def snapshots_along(path: Tensor) -> list[Snapshot]:
    """What a run stores: both averages, each time training is 6 per cent longer."""
    averages = [PowerAverage({"w": path[0]}, width) for width in WIDTHS]
    stored, last = [], -1
    for step, weights in enumerate(path, 1):
        for average in averages:
            average.update({"w": weights}, step)
        mark = int(math.log(step) / math.log(DENSITY))
        if step >= 10 and (mark != last or step == len(path)):
            stored += [average.snapshot(step) for average in averages]
        last = mark
    return stored


@pytest.mark.parametrize("width", [0.05, 0.075, 0.10, 0.14, 0.20])
def test_an_average_of_another_width_is_put_together_afterwards(width: float) -> None:
    """Relative to the distance that the weights have come: less than one per cent."""
    path = walk()
    expected = keep(path, width).weights["w"]
    # the run keeps only snapshots of the last 70 per cent
    stored = [s for s in snapshots_along(path) if s.step >= 0.3 * STEPS]
    found = combine(stored, width, STEPS)["w"]
    size = float((path[-1] - path[0]).norm())
    assert float((found - expected).norm()) / size < 1e-2
    assert float((path[-1].float() - expected).norm()) / size > 1e-2, "the last weights are something else"


def test_an_average_of_an_earlier_time_can_be_had_too() -> None:
    path, stored = walk(), snapshots_along(walk())
    step = max(snapshot.step for snapshot in stored if snapshot.step <= 1000)
    expected = keep(path[:step], 0.14).weights["w"]
    found = combine(stored, 0.14, step)["w"]
    assert float((found - expected).norm()) / float(path[step].norm()) < 1e-2


def test_snapshots_from_later_are_left_out() -> None:
    early, late = (Snapshot(step, exponent(0.1), {"w": torch.full((2,), float(step))}) for step in (50, 90))
    torch.testing.assert_close(
        combine([early, late], 0.1, 60)["w"], combine([early], 0.1, 60)["w"], rtol=0, atol=0
    )
