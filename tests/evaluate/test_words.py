"""Every figure has words."""

from __future__ import annotations

from unfog.evaluate.words import HIGHER, LOWER, NEAR, WORDS


def test_every_figure_says_what_it_means_and_which_way_is_better() -> None:
    assert {"frechet", "kernel", "precision", "recall", "density", "coverage", "copied"} <= set(WORDS)
    for key, words in WORDS.items():
        assert words.title and len(words.meaning.split()) > 4, key
        assert words.better in (LOWER, HIGHER, NEAR), key


def test_no_figure_is_called_fid() -> None:
    assert not any("FID" in words.title + words.meaning for words in WORDS.values())
