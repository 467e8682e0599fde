"""Text cut into words."""

from __future__ import annotations

import pytest

from unfog.evaluate.cut import words, words_and_marks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat's  2 A-b_c.", ["the", "cat", "s", "2", "a", "b", "c"]),
        ("床前明月，光。", ["床", "前", "明", "月", "光"]),
        ("libxml2库, naïve\nÉté", ["libxml2", "库", "naïve", "été"]),
        ("かな 𠀀", ["か", "な", "𠀀"]),
        (" ...\n", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_marks_are_words_too() -> None:
    assert words_and_marks("A b, c_d! 山。") == ["A", "b", ",", "c", "_", "d", "!", "山", "。"]
