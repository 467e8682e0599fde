"""Ranks by hand, and what a space finds that is perfect, and one that is blind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from unfog.evaluate.retrieval import SCRIPTS, adherence_ranks, by_script, median, ranks, retrieval, script_of

CAPTIONS = [("cat", "猫"), ("dog", "狗"), ("cat", "小猫"), (), ("sun",)]
PLACES = {"cat": 0, "猫": 0, "小猫": 0, "dog": 1, "狗": 1, "sun": 4}
SEEN = np.eye(5, dtype=np.float32)[[0, 1, 0, 3, 4]]


def embed(texts: Sequence[str]) -> np.ndarray:
    return np.eye(5, dtype=np.float32)[[PLACES[text] for text in texts]]


def blind(texts: Sequence[str]) -> np.ndarray:
    return np.ones((len(texts), 5), np.float32)


def test_ranks_by_hand() -> None:
    likeness = np.array([[0.9, 0.5, 0.7], [0.1, 0.2, 0.3], [0.4, 0.4, 0.4]], np.float32)
    right = np.array([[0, 0, 1], [1, 1, 0], [0, 1, 0]], bool)
    assert ranks(likeness, right).tolist() == [2, 2, 3]


def test_the_median_and_its_interval() -> None:
    found = median(np.arange(1, 101))
    assert found.value == 50.5 and found.low == 40 and found.high == 60
    assert median(np.array([3])).low == 3 and median(np.array([], np.int64)).value is None


@pytest.mark.parametrize(
    ("text", "script"),
    [("a cat", 0), ("一只猫", 1), ("T恤衫", 1), ("the 猫 of my aunt", 0), ("", 0), ("12", 0)],
)
def test_scripts(text: str, script: int) -> None:
    assert script_of(text) == SCRIPTS[script]


def test_one_script_needs_no_name() -> None:
    assert by_script(["a", "b"]) == [("", [0, 1])]
    assert by_script(["a", "猫"]) == [("other letters", [0]), ("Chinese", [1])]
    assert by_script([]) == []


def test_a_perfect_space_finds_everything_and_a_blind_one_nothing() -> None:
    found = retrieval(SEEN, CAPTIONS, embed)
    assert [(each.way, each.script, each.candidates, each.median.n) for each in found] == [
        ("text to picture", "other letters", 5, 3),
        ("picture to text", "other letters", 3, 4),
        ("text to picture", "Chinese", 5, 3),
        ("picture to text", "Chinese", 3, 3),
    ]
    assert [each.recall[1].value for each in found[:2]] == [1.0, 1.0]
    assert all(each.median.value == each.candidates for each in retrieval(SEEN, [("cat",)] * 0, blind))
    for each in retrieval(SEEN, CAPTIONS, blind):
        assert each.recall[1].value == 0.0 and each.median.value is not None
        assert each.median.value >= each.candidates - 1  # two pictures share a caption


def test_what_was_drawn_is_looked_for_among_all_captions_of_its_script() -> None:
    drawn = SEEN[[0, 4, 1]]
    (latin, chinese) = adherence_ranks(drawn, ["cat", "sun", "猫"], [*PLACES, "", "cat"], embed)
    assert latin.candidates == 3 and latin.median.value == 1.0
    assert chinese.candidates == 3 and chinese.median.value == 3.0  # a dog was drawn: 猫 and 小猫 are as far
