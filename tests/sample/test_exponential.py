"""Integrating polynomials exactly, against quadrature."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from tests.given import process_of
from unfog.sample import DDIM
from unfog.sample.exponential import Estimate, combine, exponential_weights, flow, plain_weights

from .conftest import Told, go


@given(
    gaps=st.lists(st.floats(0.05, 2.0), min_size=0, max_size=3),
    h=st.floats(0.02, 3.0),
    start=st.floats(-4.0, 4.0),
    poly=st.lists(st.floats(-2.0, 2.0), min_size=4, max_size=4),
)
def test_weights_integrate_polynomials_of_their_degree(
    gaps: list[float], h: float, start: float, poly: list[float]
) -> None:
    nodes = [start - sum(gaps[:k]) for k in range(len(gaps) + 1)]

    def value(clock: float) -> float:
        return sum(c * (clock - start) ** k for k, c in enumerate(poly[: len(nodes)]))

    for weights, factor in (
        (exponential_weights(tuple(nodes), start, start + h), lambda clock: math.exp(clock - start - h)),
        (plain_weights(tuple(nodes), start, start + h), lambda clock: 1.0),
    ):
        found = sum(w * value(node) for w, node in zip(weights, nodes, strict=True))
        truth = quad(lambda clock, f=factor: f(clock) * value(clock), start, start + h, epsabs=1e-12)[0]
        assert found == pytest.approx(truth, rel=1e-7, abs=1e-7)


def test_weights_add_up() -> None:
    assert sum(exponential_weights((0.0, -0.4, -1.0), 0.0, 0.7)) == pytest.approx(1 - math.exp(-0.7))
    assert sum(plain_weights((3.0, 4.0), 3.0, 1.0)) == pytest.approx(-2.0)


def test_combine_is_the_weighted_sum() -> None:
    parts = [Estimate(torch.tensor([1.0, 2.0]), 0.0), Estimate(torch.tensor([10.0, 20.0]), 1.0)]
    assert combine(parts, [2.0, 0.5]).tolist() == [7.0, 14.0]


@pytest.mark.parametrize(("t", "s"), [(1.0, 0.5), (0.5, 0.0), (1.0, 0.0)])
def test_at_an_infinite_clock_the_newest_estimate_counts_alone(t: float, s: float) -> None:
    process = process_of("flow")
    x, ends = torch.randn(2, 3), [torch.tensor(end, dtype=torch.float64) for end in (t, s)]
    known = [Estimate(torch.full((2, 3), 0.3), 0.1), Estimate(torch.full((2, 3), 9.0), -0.4)]
    expected = go(Told(process, lambda _: 0.3), DDIM(), torch.stack(ends), x)
    torch.testing.assert_close(flow(process, x, *ends, known), expected)
