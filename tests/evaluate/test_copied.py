"""The longest copied run, against the plain search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unfog.evaluate.copied import START, TrainingText


def plain(text: str, training: list[str]) -> int:
    """Longest run of ``text`` in any training text, the slow way."""
    best = 0
    for start in range(len(text)):
        while start + best < len(text) and any(text[start : start + best + 1] in other for other in training):
            best += 1
    return best


letters = st.text(st.sampled_from("ab山\n"), max_size=80)


@settings(max_examples=150)
@given(training=st.lists(letters, max_size=4), texts=st.lists(letters, max_size=4))
def test_it_finds_what_the_plain_search_finds(training: list[str], texts: list[str]) -> None:
    expected = [plain(text, training) for text in texts]
    assert TrainingText(training).longest_runs(texts).tolist() == expected


@pytest.mark.parametrize("length", [1, START - 1, START, START + 1, 2 * START, 2 * START + 1, 100, 700])
def test_a_run_of_any_length_is_found_to_the_character(length: int) -> None:
    rng = np.random.default_rng(length)
    training, other = ("".join(map(chr, rng.integers(a, a + 2000, 3000))) for a in (0x4E00, 0x6000))
    copied = training[500 : 500 + length]
    found = TrainingText(["x", training]).longest_runs([other + copied + other, copied, other])
    assert found.tolist() == [length, length, 0]


def test_runs_do_not_cross_from_one_training_text_into_the_next() -> None:
    training = TrainingText(["the first half of it", " and the second half"])
    assert training.longest_runs(["the first half of it and the second half"]).tolist() == [20]
    assert training.characters == 40


def test_odd_characters_and_no_text_at_all() -> None:
    assert TrainingText([]).longest_runs(["abc"]).tolist() == [0]
    assert TrainingText(["abc"]).longest_runs([]).tolist() == []
    assert TrainingText(["", "a\x00\U0010ffff\ud800b"]).longest_runs(
        ["", "\x00\U0010ffff\ud800"]
    ).tolist() == [0, 3]
