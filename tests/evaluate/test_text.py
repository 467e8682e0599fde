"""Figures of written texts."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from unfog.evaluate.copied import TrainingText
from unfog.evaluate.text import (
    accuracy_by_position,
    accuracy_in_blank,
    copying,
    entropy,
    evaluate_texts,
    first_words,
    ngrams,
    variety,
)
from unfog.evaluate.text_words import TEXT_WORDS
from unfog.evaluate.verse import Rhymes


def test_ngrams_stay_inside_their_text() -> None:
    assert ngrams([list("aab"), list("ab"), []], 2) == {("a", "a"): 1, ("a", "b"): 2}
    assert not ngrams([["a"]], 4)


def test_entropy_is_that_of_the_frequencies() -> None:
    assert entropy({"a": 3}) == 0
    assert entropy(dict.fromkeys("abcdefgh", 5)) == pytest.approx(3)
    assert entropy({"a": 1, "b": 3}) == pytest.approx(0.25 * 2 + 0.75 * math.log2(4 / 3))


def test_variety_of_a_text_that_can_be_counted_by_hand() -> None:
    found = variety([list("abab"), list("abcd")])
    values = {key: figure.value for key, figure in found.items()}
    assert values["distinct1"] == 4 / 8 and values["distinct2"] == 4 / 6 and values["distinct4"] == 1
    assert values["entropy1"] == pytest.approx(0.75 * math.log2(8 / 3) + 0.25 * 3)
    assert values["entropy4"] == 1
    assert variety([["a"]])["distinct4"].value is None


def test_the_first_words_are_counted_over_texts() -> None:
    assert first_words([list("abc"), list("de"), list("f")], 4) == [list("abc"), list("d")]
    assert first_words([list("abc")], 9) == [list("abc")]
    assert first_words([list("abc")], 0) == []


def test_copying_in_characters() -> None:
    found = copying(["one two", "xx two xx", ""], TrainingText(["say one two three"]))
    assert found["copied_run"].value == pytest.approx((7 + 5 + 0) / 3)
    assert found["copied_longest"].value == 7
    assert found["copied_whole"].value == pytest.approx(1 / 3)


def test_a_model_that_repeats_itself_is_seen() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(500)]

    def write(vocabulary: int) -> list[str]:
        return [" ".join(words[i] for i in rng.integers(0, vocabulary, 30)) + "." for _ in range(40)]

    training, held = write(500), write(500)
    found = evaluate_texts(write(10), held, TrainingText(training))
    assert found.counts == {"samples": 40, "held": 40, "words": 40 * 31}
    for key in ("entropy1", "entropy4", "distinct1", "distinct4"):
        assert found.samples[key].value < found.floor[key].value
    recited = evaluate_texts(training[:20], held, TrainingText(training))
    assert recited.samples["copied_whole"].value == 1 and recited.floor["copied_whole"].value == 0
    assert recited.counts["words"] == 20 * 31
    json.dumps(found.to_dict())


def test_rows_follow_the_table_of_words() -> None:
    poems = ["春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多少。"] * 3
    found = evaluate_texts(poems, poems, TrainingText(["x"]), rhymes=Rhymes({"鳥": 0, "少": 0}, 1))
    assert [row.key for row in found.rows()] == [key for key in TEXT_WORDS if key != "reader_bits"]
    assert found.samples["rhyme"].value == 1 and found.notes[0].startswith("Rhyme classes")


def test_accuracy_by_position_counts_blanks_only() -> None:
    truth = np.array([[1, 2, 3], [1, 2, 3], [4, 5, 6]])
    guess = np.array([[1, 9, 3], [9, 9, 3], [9, 5, 6]])
    blank = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 0]], bool)
    assert [figure.value for figure in accuracy_by_position(guess, truth, blank)] == [0.5, 1 / 3, None]


def test_accuracy_in_a_blank_counts_from_its_beginning() -> None:
    truth = np.arange(12).reshape(2, 6)
    guess = truth.copy()
    guess[0, 2] = guess[1, 5] = 99
    blank = np.array([[0, 1, 1, 0, 1, 1], [0, 0, 0, 1, 1, 1]], bool)
    found = accuracy_in_blank(guess, truth, blank)  # blanks 1-2, 4-5 and 3-5
    assert [(figure.value, figure.n) for figure in found] == [(1, 3), (pytest.approx(2 / 3), 3), (0, 1)]
    assert accuracy_in_blank(guess, truth, np.zeros_like(blank)) == []
