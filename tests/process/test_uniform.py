"""Exchanging tokens: how many, for what, and what a token says of itself."""

from __future__ import annotations

import math

import pytest
import torch

from unfog.errors import DataError
from unfog.process import KEEPS, UniformProcess
from unfog.rng import Noise

X = torch.arange(12).reshape(2, 6) % 4


def test_at_the_start_nothing_is_lost() -> None:
    for kind in KEEPS.values():
        assert torch.equal(UniformProcess(4, kind()).corrupt(X, torch.tensor(0.0), Noise(1)), X)


def test_at_the_end_nothing_is_left() -> None:
    process, x = UniformProcess(4), torch.zeros(1, 40_000, dtype=torch.long)
    for x_t in (process.corrupt(x, torch.tensor(1.0), Noise(3)), process.prior(x.shape, Noise(4))):
        assert x_t.dtype == torch.long
        shares = torch.bincount(x_t[0], minlength=4) / 40_000
        torch.testing.assert_close(shares, torch.full((4,), 0.25), rtol=0, atol=5 * 0.44 / 200)


def test_an_example_does_not_depend_on_its_neighbours() -> None:
    process, t = UniformProcess(4), torch.tensor(0.5)
    both = process.corrupt(X, t, Noise.per_example([7, 8]))
    assert torch.equal(process.corrupt(X[1:], t, Noise.per_example([8])), both[1:])


@pytest.mark.parametrize("t", [0.1, 0.5, 0.99])
def test_the_odds_are_those_of_the_kernel(t: float) -> None:
    alpha, lost = 1 - t, t
    truth = math.log((alpha + lost / 4) / (lost / 4))
    assert float(UniformProcess(4).log_odds(t)) == pytest.approx(truth)


def test_tokens_beyond_the_vocabulary_are_refused() -> None:
    with pytest.raises(DataError, match="no token 4"):
        UniformProcess(4).corrupt(torch.tensor([[4]]), torch.tensor(0.5), Noise(0))
