"""The words for figures of texts."""

from __future__ import annotations

from unfog.evaluate.text_words import TEXT_WORDS
from unfog.evaluate.words import HIGHER, LOWER, NEAR, WORDS


def test_every_figure_is_explained_and_named_once() -> None:
    assert not TEXT_WORDS.keys() & WORDS.keys()
    titles = [words.title for words in TEXT_WORDS.values()]
    assert len(set(titles)) == len(titles)
    for words in TEXT_WORDS.values():
        assert words.meaning.endswith(".") and words.better in (HIGHER, LOWER, NEAR)
