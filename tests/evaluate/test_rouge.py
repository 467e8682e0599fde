"""ROUGE against examples computed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfog.evaluate.rouge import common_subsequence, lead_sentence, rouge, rouge_figures


@pytest.mark.parametrize(
    ("summary", "reference", "expected"),
    [
        # 3 of 3 and of 6 words; pairs: 1 (the cat) of 2 and of 5; in order: the cat mat
        ("the cat mat", "The cat sat on the mat.", (6 / 9, 2 / 7, 6 / 9)),
        # 3 of 4 and of 4 words; pairs: 1 (the gunman) of 3 and of 3; in order: the gunman
        ("the gunman kill police", "police killed the gunman", (3 / 4, 1 / 3, 2 / 4)),
        # a word counts as often as both sides have it
        ("a a a a", "a a b", (4 / 7, 2 / 5, 4 / 7)),
        ("same words here", "same words here", (1, 1, 1)),
        ("nothing shared", "of these", (0, 0, 0)),
        ("", "words", (0, 0, 0)),
        ("word", "word", (1, 0, 1)),
        ("月光明", "明月光", (1, 0.5, 2 / 3)),
    ],
)
def test_known_examples(summary: str, reference: str, expected: tuple[float, float, float]) -> None:
    assert rouge(summary, reference) == pytest.approx(expected)


def test_figures_are_means_of_pairs() -> None:
    found = rouge_figures(["a b", "c"], ["a b", "d"])
    assert {name: figure.value for name, figure in found.items()} == {
        "rouge1": 0.5,
        "rouge2": 0.5,
        "rougeL": 0.5,
    }
    assert rouge_figures([], [])["rouge1"].value is None


@cache
def slow(one: tuple[str, ...], two: tuple[str, ...]) -> int:
    if not one or not two:
        return 0
    if one[-1] == two[-1]:
        return 1 + slow(one[:-1], two[:-1])
    return max(slow(one[:-1], two), slow(one, two[:-1]))


@given(st.lists(st.sampled_from("abc"), max_size=9), st.lists(st.sampled_from("abcd"), max_size=9))
def test_the_longest_common_subsequence_is_that_of_the_definition(
    one: Sequence[str], two: Sequence[str]
) -> None:
    assert common_subsequence(one, two) == slow(tuple(one), tuple(two))


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("One thing. Another thing.", "One thing."),
        ("Wrapped\nline! And more", "Wrapped line!"),
        ("第一句。第二句。", "第一句。"),
        ("No end at all", "No end at all"),
        ("Title\n\nBody. More.", "Title"),
        ("Version 1.2 is out. Yes.", "Version 1.2 is out."),
        ("Ends here.\nNext line.", "Ends here."),
        ("", ""),
    ],
)
def test_the_lead_is_the_first_sentence(text: str, lead: str) -> None:
    assert lead_sentence(text) == lead
