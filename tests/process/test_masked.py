"""Hiding tokens: which stay, how many, and what the end looks like."""

from __future__ import annotations

import pytest
import torch

from unfog.errors import DataError, TimeOutOfRange
from unfog.process import KEEPS, MaskedProcess
from unfog.rng import Noise

X = torch.arange(12).reshape(2, 6) % 4


def test_both_ends_are_exact() -> None:
    process = MaskedProcess(5)
    for name, kind in KEEPS.items():
        process = MaskedProcess(5, kind())
        assert torch.equal(process.corrupt(X, torch.tensor(0.0), Noise(1)), X), name
        assert bool((process.corrupt(X, torch.tensor(1.0), Noise(1)) == process.mask).all()), name
    assert process.mask == 4
    assert torch.equal(process.prior((2, 3), Noise(0), 0.5), torch.full((2, 3), 4))


def test_what_is_visible_is_true_and_each_example_has_its_time() -> None:
    process, t = MaskedProcess(5), torch.tensor([0.2, 0.9])
    x = torch.arange(4).repeat(2, 5000)
    x_t = process.corrupt(x, t, Noise(2))
    hidden = x_t == process.mask
    assert torch.equal(x_t[~hidden], x[~hidden])
    torch.testing.assert_close(hidden.double().mean(1), t.double(), rtol=0, atol=5 * 0.5 / 20_000**0.5)


def test_an_example_does_not_depend_on_its_neighbours() -> None:
    process, t = MaskedProcess(5), torch.tensor(0.5)
    both = process.corrupt(X, t, Noise.per_example([7, 8]))
    assert torch.equal(process.corrupt(X[1:], t, Noise.per_example([8])), both[1:])


@pytest.mark.parametrize("name", KEEPS)
def test_two_steps_of_revealing_are_one(name: str) -> None:
    process = MaskedProcess(5, KEEPS[name]())
    left = (1 - process.reveal(0.9, 0.5)) * (1 - process.reveal(0.5, 0.2))
    assert 1 - process.reveal(0.9, 0.2) == pytest.approx(left)
    assert process.reveal(0.7, 0.0) == pytest.approx(1.0, abs=1e-15)
    assert process.reveal(1.0, 0.4) == pytest.approx(process.numbers(0.4)[0])


def test_mask_is_no_data_and_times_have_ends() -> None:
    with pytest.raises(DataError, match="no token 4"):
        MaskedProcess(5).corrupt(torch.tensor([[4]]), torch.tensor(0.5), Noise(0))
    with pytest.raises(TimeOutOfRange):
        MaskedProcess(5).corrupt(X, torch.tensor(1.5), Noise(0))
