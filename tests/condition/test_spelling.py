"""Plain tokens in the place of a language model."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from unfog.condition.spelling import Spelling


def spell(texts: Sequence[str]) -> list[list[int]]:
    return [[ord(each) - 96 for each in text] for text in texts]


def test_tokens_are_handed_through() -> None:
    own = Spelling(spell, "letters", longest=3)
    words = own.read(["abcd", "", "ca"])
    assert words.states.tolist() == [[1, 2, 3], [0, 0, 0], [3, 1, 0]]
    assert words.mask.sum(1).tolist() == [3, 0, 2] and words.present.tolist() == [True, False, True]
    assert own.cut(["abcd", "ca"]) == 1 and own.count(["abcd", "ca"]) == [4, 2]
    assert words.states.dtype == torch.int64 == own.read([]).states.dtype


def test_the_fingerprint_is_that_of_the_tokens() -> None:
    prints = {Spelling(spell, name, n).fingerprint for name in ("a", "b") for n in (3, 4)}
    assert len(prints) == 4
