"""How long a blank is: which places are asked, what it costs, and how versions choose."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.given import knowing, small_writer
from unfog.denoise import ExactTokens
from unfog.model.blanks import FOLLOWING, choose, evidence, following, guesses
from unfog.model.canvas import Canvas
from unfog.process import MaskedProcess
from unfog.rng import Noise
from unfog.verify.tokens import FIRST, THEN


@given(st.integers(1, 9), st.integers(0, 100))
def test_lengths_that_are_tried_fit_and_grow(count: int, room: int) -> None:
    tried = guesses(count, room)
    assert tried and all(len(sizes) == count and len(set(sizes)) == 1 for sizes in tried)
    assert tried == sorted(tried) and tried[0] == [1] * count
    assert all(sum(sizes) <= max(room, count) for sizes in tried)


def test_what_is_asked_follows_a_blank_and_is_given() -> None:
    open = torch.tensor([0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0], dtype=torch.bool)
    assert following(open).tolist() == [3, 4, 5, 6, 10, 11, 13] and FOLLOWING == 4
    assert following(torch.ones(3, dtype=torch.bool)).tolist() == []


class Chain:
    """A Markov chain of three tokens, which knows exactly what the others say."""

    def __init__(self) -> None:
        self.asked = 0

    def without(self, x, blank, labels=None):
        self.asked += 1
        exact = ExactTokens(MaskedProcess(4), FIRST, THEN, x.shape[1])
        return exact(torch.where(blank, 3, x), torch.ones((), dtype=torch.float64))


@pytest.mark.parametrize("blank", [1, 2, 3])
def test_the_evidence_is_the_probability_of_what_follows(blank: int) -> None:
    """Of a chain, what is in the blank is summed over by a power of its matrix."""
    tokens = torch.tensor([0, *[3] * blank, 2, 2, 1])
    chain, power = Chain(), torch.linalg.matrix_power(THEN, blank + 1)
    expected = power[0, 2] * THEN[2, 2] * THEN[2, 1]
    assert evidence(chain, Canvas(tokens), 3) == pytest.approx(math.log(expected), abs=1e-6)
    assert chain.asked == 1, "all in one batch"


def test_versions_choose_by_the_evidence() -> None:
    fits = [math.log(0.7), math.log(0.2), math.log(0.1)]
    chosen = torch.tensor(choose([fits] * 20_000, 1.0, Noise.for_pictures(0, range(20_000))))
    shares = torch.bincount(chosen, minlength=3) / len(chosen)
    torch.testing.assert_close(shares, torch.tensor([0.7, 0.2, 0.1]), atol=0.015, rtol=0)
    assert set(choose([fits] * 50, 0.0, Noise.for_pictures(0, range(50)))) == {0}
    few = choose([fits] * 3, 1.0, Noise.for_pictures(0, range(3)))
    assert few == chosen[:3].tolist(), "a version does not depend on how many there are"


def test_classes_are_asked_by_themselves() -> None:
    model, heard = small_writer(classes=("a", "b")), list[object]()
    inner = model.without

    def spy(x, blank, labels=None):
        heard.append(None if labels is None else labels[0])
        return inner(x, blank, labels)

    model.without = spy
    texts = model.infill("A ___.", 4, label=["a", "b", "a", "b"], seed=3)
    assert set(heard) == {0, 1} and len(texts) == 4
    assert texts == model.infill("A ___.", 4, label=["a", "b", "a", "b"], seed=3)


def test_the_length_that_the_words_behind_it_want() -> None:
    model = knowing(small_writer(), "My sister hides.")
    for seed in range(5):
        assert model.infill("My ___ hides.", seed=seed) == ["My sister hides."]
