"""Text as numbers: bytes, characters, or pieces of words that often stand together.

A vocabulary is a list of byte strings; a text becomes the numbers of those whose bytes, one after the other,
are the text in UTF-8. So nothing that people write is lost: whatever a vocabulary has no entry for is spelled
out in bytes. Three ways to choose the entries:

    byte        the 256 bytes. Knows nothing, needs no training; a Chinese character takes three.
    character   the characters of the training text, and the 256 bytes for all others. Every character is one
                number, so a form that counts characters (a quatrain) has a fixed length.
    bpe         byte pair encoding (Sennrich et al. 2016, arXiv 1508.07909): starts from bytes and again and
                again joins the pair that occurs most often. Shorter sequences for languages with spaces.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from unfog.errors import ConfigError, DataError

Ids = NDArray[np.int64]

BYTES = tuple(bytes([value]) for value in range(256))
BPE_SIZE = 4096
"""Entries of a bpe vocabulary when no size is given: enough for common words, few enough for little text."""

_RUN = 16
_CACHE = 1_000_000
# A run of letters is cut after 16: without spaces (Chinese, or one enormous line of anything) it would be a
# "word" of millions of letters, and joining pairs takes longer than its length. Every character is of one of
# the four kinds, so the words of a text, one after the other, are the text.
_WORDS = re.compile(
    rf" ?[^\W\d_]{{1,{_RUN}}}| ?\d{{1,3}}| ?(?:[^\w\s]|_){{1,{_RUN}}}|\s{{1,{_RUN}}}",
)


class Vocabulary(ABC):
    """Numbered byte strings and a way to cut text into them.

    Attributes:
        kind: its name in ``VOCABULARIES``.
        pieces: bytes of each entry, by number.
    """

    kind: str
    pieces: tuple[bytes, ...]

    @classmethod
    @abstractmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Vocabulary:
        """Choose the entries for some texts.

        Args:
            texts: what it shall be good for.
            size: most entries beyond the 256 bytes' share; None is the kind's own choice.
        """

    @classmethod
    @abstractmethod
    def from_dict(cls, values: dict[str, Any]) -> Vocabulary:
        """Back from ``to_dict``."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""

    @abstractmethod
    def encode_many(self, texts: Sequence[str]) -> list[Ids]:
        """Texts as numbers, one int64 array (L,) each.

        Raises:
            DataError: a text holds half a surrogate pair, which is no character.
        """

    def __len__(self) -> int:
        return len(self.pieces)

    def decode(self, ids: Iterable[int]) -> str:
        """Numbers back to text; bytes that are no UTF-8 (only a model makes such) become U+FFFD."""
        return b"".join([self.pieces[number] for number in ids]).decode("utf-8", "replace")


class ByteVocabulary(Vocabulary):
    """The 256 bytes of UTF-8."""

    kind = "byte"
    pieces = BYTES

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> ByteVocabulary:
        """Nothing is to be chosen."""
        return cls()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ByteVocabulary:
        """Nothing is remembered."""
        return cls()

    def to_dict(self) -> dict[str, Any]:
        """Nothing is remembered."""
        return {}

    def encode_many(self, texts: Sequence[str]) -> list[Ids]:
        """See ``Vocabulary``."""
        return [np.frombuffer(utf8(text), np.uint8).astype(np.int64) for text in texts]


class CharacterVocabulary(Vocabulary):
    """Characters by their number; the 256 bytes come first.

    Args:
        characters: each once, in the order of their numbers.
    """

    kind = "character"

    def __init__(self, characters: str) -> None:
        if len(set(characters)) != len(characters):
            raise ValueError("a character stands twice in the vocabulary")
        self.characters = characters
        self.pieces = (*BYTES, *(utf8(each) for each in characters))

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> CharacterVocabulary:
        """The characters of the texts in the order of Unicode; with a size, the most frequent ones."""
        counts = Counter[str]()
        for text in texts:
            counts.update(text)
        kept = sorted(counts, key=lambda each: (-counts[each], each))[:size]
        return cls("".join(sorted(kept)))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> CharacterVocabulary:
        """From its characters."""
        return cls(str(values["characters"]))

    def to_dict(self) -> dict[str, Any]:
        """Its characters."""
        return {"characters": self.characters}

    @cached_property
    def _numbers(self) -> NDArray[np.int32]:
        numbers = np.full(0x110000, -1, np.int32)
        numbers[_points(self.characters)] = np.arange(256, 256 + len(self.characters), dtype=np.int32)
        return numbers

    def encode_many(self, texts: Sequence[str]) -> list[Ids]:
        """See ``Vocabulary``."""
        return [self._encode(_points(text)) for text in texts]

    def _encode(self, points: NDArray[np.uint32]) -> Ids:
        numbers = self._numbers[points].astype(np.int64)
        other = numbers < 0
        if not other.any():
            return numbers
        # how many bytes UTF-8 takes, and where each character's numbers begin
        length = 1 + (points > 0x7F).astype(np.int64) + (points > 0x7FF) + (points > 0xFFFF)
        length[~other] = 1
        begin = np.cumsum(length) - length
        out = np.empty(int(length.sum()), np.int64)
        out[begin[~other]] = numbers[~other]
        spelled = "".join(map(chr, points[other].tolist())).encode()
        inside = np.repeat(begin[other], length[other])
        step = np.arange(len(inside)) - np.repeat(np.cumsum(length[other]) - length[other], length[other])
        out[inside + step] = np.frombuffer(spelled, np.uint8)
        return out


class BpeVocabulary(Vocabulary):
    """Byte pairs joined by how often they occur, through the library ``tokenizers``."""

    kind = "bpe"

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._known: dict[str, list[int]] = {}  # words met so far: most of a text is words met before
        numbers = tokenizer.get_vocab()
        if sorted(numbers.values()) != list(range(len(numbers))) or len(numbers) < 256:
            raise ValueError("the numbers of the vocabulary have gaps")
        pieces = {number: bytes(map(_LETTERS.__getitem__, text)) for text, number in numbers.items()}
        self.pieces = tuple(pieces[number] for number in range(len(pieces)))

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> BpeVocabulary:
        """The 256 bytes and the joins that occur most often, ``size`` entries in all.

        Raises:
            ConfigError: there is no room for the 256 bytes.
        """
        size = BPE_SIZE if size is None else size
        if size < 256:
            raise ConfigError(
                f"A bpe vocabulary of {size} entries has no room for the 256 bytes. Give 257 or more."
            )
        tokenizer = _bytewise(models.BPE())
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=2,
            show_progress=False,
            special_tokens=[],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )
        tokenizer.train_from_iterator((_WORDS.findall(checked(text)) for text in texts), trainer)
        return cls(tokenizer)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> BpeVocabulary:
        """From the entries and joins; how text is cut is decided here, not by the file."""
        merges = [(str(one), str(two)) for one, two in values["merges"]]
        entries = {str(text): number for number, text in enumerate(values["entries"])}
        return cls(_bytewise(models.BPE(vocab=entries, merges=merges)))

    def to_dict(self) -> dict[str, Any]:
        """The entries by number and the joins by rank, in the letters that stand for bytes."""
        model = json.loads(self.tokenizer.to_str())["model"]
        merges = [each.split(" ") if isinstance(each, str) else each for each in model["merges"]]
        return {"entries": sorted(model["vocab"], key=model["vocab"].__getitem__), "merges": merges}

    def encode_many(self, texts: Sequence[str]) -> list[Ids]:
        """See ``Vocabulary``."""
        return [self._encode(_WORDS.findall(checked(text))) for text in texts]

    def _encode(self, words: list[str]) -> Ids:
        known = self._known
        if new := list({word for word in words if word not in known}):
            if len(known) > _CACHE:
                known.clear()
                new = list(set(words))
            found = self.tokenizer.encode_batch_fast(new)
            known.update((word, each.ids) for word, each in zip(new, found, strict=True))
        return np.fromiter(chain.from_iterable(map(known.__getitem__, words)), np.int64)


def _bytewise(model: models.BPE) -> Tokenizer:
    """A tokenizer of single words, which shows each of their bytes as one letter."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return tokenizer


def _letters() -> dict[str, int]:
    """The letter that byte-level tokenizers show for a byte: itself if it can be seen, else one above 255."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [value for value in range(256) if value not in set(seen)]
    return {chr(value): value for value in seen} | {chr(256 + i): value for i, value in enumerate(hidden)}


_LETTERS = _letters()


def utf8(text: str) -> bytes:
    """The text's bytes.

    Raises:
        DataError: it holds half a surrogate pair.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"The text holds half a surrogate pair (U+{ord(text[error.start]):04X}) at character "
            f"{error.start:,}, which is no character. Take it out."
        ) from None


def checked(text: str) -> str:
    """The text itself, if it can be written as UTF-8.

    Raises:
        DataError: it holds half a surrogate pair.
    """
    if not text.isascii():
        utf8(text)
    return text


def _points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(checked(text).encode("utf-32-le"), np.uint32)


VOCABULARIES: dict[str, type[Vocabulary]] = {
    each.kind: each for each in (ByteVocabulary, CharacterVocabulary, BpeVocabulary)
}
"""Kinds of vocabularies."""
