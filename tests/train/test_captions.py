"""Which caption a step sees: all of them in turn, by seed and step alone."""

from __future__ import annotations

import numpy as np

from unfog.codec import TokenCodec
from unfog.condition import Spelling, Words
from unfog.condition.word_cache import open_words
from unfog.train.captions import Captions, PairedCaptions

TEXTS = ["a", "b", "c", "", "d"]  # of three pictures, with three, one (empty) and one captions
CODEC = TokenCodec.learn(["abcd"], "character")
LANGUAGE = Spelling(CODEC.encode_many, CODEC.to_json())


def told(seed: int = 0) -> Captions:
    return Captions(open_words(LANGUAGE, TEXTS), [3, 1, 1], seed)


def read(words: Words) -> list[str]:
    return [CODEC.decode(row[kept]) for row, kept in zip(words.states, words.mask, strict=True)]


def test_every_caption_of_a_picture_comes_up_alike_often_and_no_other() -> None:
    captions, chosen = told(), np.zeros(3000, np.int64)
    found = read(Words.from_tensors(captions(chosen, 0)))
    counts = [found.count(text) for text in "abc"]
    assert sum(counts) == 3000 and min(counts) > 850
    assert read(Words.from_tensors(captions(np.array([2, 1]), 5))) == ["d", ""]


def test_a_picture_without_captions_says_nothing() -> None:
    words = Words.from_tensors(told()(np.array([1, 0]), 0))
    assert words.present.tolist() == [False, True]


def test_a_step_can_be_taken_again() -> None:
    chosen = np.arange(3).repeat(30)
    one, two = (read(Words.from_tensors(told(7)(chosen, 4))) for _ in range(2))
    assert one == two
    assert one != read(Words.from_tensors(told(7)(chosen, 5)))
    assert one != read(Words.from_tensors(told(8)(chosen, 4)))


def test_captions_are_numbered_by_their_text() -> None:
    words = open_words(LANGUAGE, ["a", "b", "a", "c"])
    paired = PairedCaptions(Captions(words, [2, 1, 1], 0))
    number, own, *told = paired(np.array([0, 1, 2, 0]), 3)
    assert own is not None and number is not None
    a, b, c = 0, 1, 2
    assert own.tolist() == [[a, b], [a, -1], [c, -1], [a, b]]
    assert number[1] == a and number[2] == c and set(number[[0, 3]].tolist()) <= {a, b}
    said = read(Words.from_tensors([each for each in told if each is not None]))
    assert said == ["abc"[each] for each in number.tolist()]
