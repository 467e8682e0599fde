"""Nothing is lost, whatever the text and whatever the vocabulary."""

from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unfog.codec.vocabulary import VOCABULARIES, BpeVocabulary, ByteVocabulary, CharacterVocabulary
from unfog.errors import ConfigError, DataError

TEXTS = (
    "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。",
    "the package is the best package of the packages\n",
    "naïve",
)


@cache
def trained(kind, size=None):
    return VOCABULARIES[kind].train(TEXTS * 3, size)


@pytest.mark.parametrize("kind", VOCABULARIES)
@given(text=st.one_of(st.text(), st.text(alphabet="白日依山 the\r\n\t\u00a0\u3000🙂é\0ｅ")))
@example("e\u0301\ufeff\u2028 \U0010ffff\x85[MASK] </w> Ġ")
@settings(max_examples=150, deadline=None)
def test_any_text_comes_back(kind, text):
    words = trained(kind)
    (ids,) = words.encode_many([text])
    assert ids.dtype == np.int64 and ids.ndim == 1
    assert words.decode(ids) == text
    assert sum(len(words.pieces[i]) for i in ids) == len(text.encode())


@pytest.mark.parametrize("kind", VOCABULARIES)
@given(ids=st.lists(st.integers(0, 255), max_size=12))
@settings(max_examples=50, deadline=None)
def test_any_tokens_are_some_text(kind, ids):
    words = trained(kind)
    assert words.decode(ids) == b"".join(words.pieces[i] for i in ids).decode("utf-8", "replace")


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_many_are_as_one_by_one(kind):
    words = trained(kind)
    texts = ["", "白日", "the package 🙂", ""]
    for text, ids in zip(texts, words.encode_many(texts), strict=True):
        assert np.array_equal(ids, words.encode_many([text])[0])
    assert words.encode_many([]) == []


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_what_is_stored_is_all_there_is(kind):
    words = trained(kind)
    again = VOCABULARIES[kind].from_dict(words.to_dict())
    assert again.pieces == words.pieces and len(again) == len(words)
    text = "白日依山盡 the packages 🙂"
    assert np.array_equal(again.encode_many([text])[0], words.encode_many([text])[0])


def test_bytes_are_utf8():
    assert ByteVocabulary().encode_many(["é山"])[0].tolist() == list("é山".encode())
    assert len(ByteVocabulary()) == 256


def test_characters_are_one_token_each_and_others_are_spelled():
    words = CharacterVocabulary.train(["山高月小", "山"], None)
    assert words.characters == "小山月高"  # in the order of Unicode
    assert words.encode_many(["月山"])[0].tolist() == [258, 257]
    assert words.encode_many(["é月𠜴a"])[0].tolist() == [*"é".encode(), 258, *"𠜴a".encode()]


def test_the_most_frequent_characters_are_kept():
    words = CharacterVocabulary.train(["aaabbc"], 2)
    assert words.characters == "ab"
    assert words.encode_many(["abc"])[0].tolist() == [256, 257, ord("c")]
    with pytest.raises(ValueError, match="twice"):
        CharacterVocabulary("aa")


def test_pairs_that_occur_often_are_joined():
    words = trained("bpe")
    ids = words.encode_many(["the package"])[0]
    assert [words.pieces[i] for i in ids] == [b"the", b" package"]
    assert BpeVocabulary.train(TEXTS * 3, 260).pieces[:256] != words.pieces  # a size is a size
    assert len(BpeVocabulary.train(TEXTS * 3, 260)) == 260
    assert set(words.pieces[:256]) == {bytes([i]) for i in range(256)}
    with pytest.raises(ConfigError, match="no room"):
        BpeVocabulary.train(TEXTS, 100)


def test_training_is_deterministic():
    assert BpeVocabulary.train(TEXTS * 3, None).to_dict() == BpeVocabulary.train(TEXTS * 3, None).to_dict()


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_one_enormous_line(kind):
    text = "白日依山盡" * 50_000 + "x" * 250_001 + "🙂"
    words = VOCABULARIES[kind].train([text], 300 if kind == "bpe" else None)
    assert words.decode(words.encode_many([text])[0]) == text


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_half_a_surrogate_pair_is_no_character(kind):
    with pytest.raises(DataError, match=r"U\+D800.*character 2"):
        trained(kind).encode_many(["山a\ud800"])
