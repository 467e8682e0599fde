"""Language models that read prompts: what a text-to-image model learns its words from.

A model that draws sees far too few captions to learn a language from them. So the prompt is read by a model
that learned from much more text, and is frozen: its states of each token are what the drawing network attends
to (Saharia et al. 2022, arXiv 2205.11487). Reading is dear and always gives the same, so it is done once for
each text and kept (``word_cache.py``); what is learned stands behind it (``text.py``).
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from unfog.condition.words import Words
from unfog.config import nearest
from unfog.errors import ConfigError, DataError, ModelError

Progress = Callable[[int, int], None]

BATCH = 32
"""Texts that are read at once. Sorted by length, few of them have empty places."""

LONGEST = 128
"""Tokens that are read of a text where nothing else is asked for: some 90 English words."""


class LanguageModel(ABC):
    """Reads texts; frozen, and the same for everyone who has the same ``fingerprint``.

    Attributes:
        name: what it is opened by.
        width: D, numbers in the state of a token.
        longest: tokens that are read of a text, special ones included; None for all of them.
        dear: whether reading takes long enough to keep what was read.
    """

    name: str
    width: int
    longest: int | None
    dear: ClassVar[bool] = True

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A hash (hex) of all that shapes what it reads: weights, tokens, ``longest``."""

    @abstractmethod
    def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has before it is cut, special ones included."""

    @abstractmethod
    def _read(self, texts: list[str]) -> Words:
        """Words of a few texts that are not blank; what stands in empty places does not matter."""

    def read(self, texts: Sequence[str], progress: Progress | None = None) -> Words:
        """Words of some texts, in memory; 0 in the empty places. For many texts see ``open_words``.

        A text of nothing but spaces says nothing: it is not ``present``, and has no tokens.

        Args:
            texts: prompts or captions of any length.
            progress: called with (texts read, texts in all).

        Raises:
            DataError: one holds half a surrogate pair, which is no character.
        """
        parts = list(self.batches(texts, progress))
        length = max((words.mask.shape[1] for _, words in parts), default=1)
        first = parts[0][1] if parts else self._nothing()
        mask = torch.zeros(len(texts), length, dtype=torch.bool)
        states = first.states.new_zeros(len(texts), length, *first.states.shape[2:])
        pooled = None if first.pooled is None else first.pooled.new_zeros(len(texts), self.width)
        for places, words in parts:
            where = torch.tensor(places)
            mask[where, : words.mask.shape[1]] = words.mask
            states[where, : words.mask.shape[1]] = words.states
            if pooled is not None and words.pooled is not None:
                pooled[where] = words.pooled
        return Words(states, mask, mask.any(1), pooled)

    def batches(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> Iterator[tuple[list[int], Words]]:
        """Read texts of about the same length together, the longest first, for all that are not blank.

        Args:
            texts: as for ``read``.
            progress: as for ``read``.

        Yields:
            Places in ``texts``, and the words of the texts there, with 0 in the empty places.
        """
        check_texts(texts)
        said = sorted((i for i, text in enumerate(texts) if text.strip()), key=lambda i: -len(texts[i]))
        done = len(texts) - len(said)
        for start in range(0, len(said), BATCH):
            places = said[start : start + BATCH]
            words = self._read([texts[place] for place in places]).trim()
            states = words.states * _beside(words.mask, words.states)
            yield places, Words(states, words.mask, words.mask.any(1), words.pooled)
            done += len(places)
            if progress:
                progress(done, len(texts))

    def cut(self, texts: Sequence[str]) -> int:
        """How many of the texts are longer than what is read of them."""
        check_texts(texts)
        longest = self.longest
        return 0 if longest is None else sum(count > longest for count in self.count(texts))

    def unknown(self, texts: Sequence[str]) -> int:
        """How many of the texts are, by half or more, of tokens that the model never learned.

        Such are Chinese characters for a model that was taught English alone.

        Args:
            texts: prompts or captions.
        """
        return 0

    def _nothing(self) -> Words:
        """No words, in the form that this model gives."""
        return Words(torch.zeros(0, 1, self.width), torch.zeros(0, 1).bool(), torch.zeros(0).bool())


def open_language(
    name: str,
    *,
    longest: int | None = None,
    device: torch.device | str = "cpu",
    cache: Path | None = None,
    fingerprint: str | None = None,
) -> LanguageModel:
    """The language model of a name.

    Args:
        name: one of ``LANGUAGE_MODELS``; 'hub:OWNER/NAME' or a folder for any text model of the library
            transformers. A folder that is called like one of the table is meant by './NAME'.
        longest: tokens to read of a text; None for as many as suit the model.
        device: where it computes. What it read always comes back to the processor.
        cache: folder of the cache; None is $UNFOG_CACHE or the user's cache folder.
        fingerprint: that of the model that is wanted, where it matters.

    Raises:
        ConfigError: there is no such language model, or ``longest`` is below 2.
        DataError: its weights are not on this machine yet.
        MissingExtra: the package that it needs is not installed.
        ModelError: it cannot be loaded, or is not the one that is wanted.
    """
    from unfog.condition import LANGUAGE_MODELS
    from unfog.condition.pretrained import PREFIX, Pretrained

    if longest is not None and longest < 2:
        raise ConfigError(f"longest = {longest}: a language model reads at least 2 tokens.")
    found: LanguageModel
    if name in LANGUAGE_MODELS:
        found = LANGUAGE_MODELS[name](longest=longest, device=device, cache=cache)
    elif name.startswith(PREFIX) or Path(name).exists():
        found = Pretrained(name, longest=longest, device=device)
    else:
        raise ConfigError(
            f"There is no language model {name!r}, and no folder of that name. "
            f"{nearest(name, LANGUAGE_MODELS)} Or give hub:OWNER/NAME."
        )
    if fingerprint is not None and found.fingerprint != fingerprint:
        raise ModelError(
            f"The language model {name!r} here is not the one that is wanted: its weights, its tokens or how "
            "many it reads are others. Get the same one, or train again."
        )
    return found


def check_texts(texts: Sequence[str]) -> None:
    """Refuse what is no text.

    Raises:
        DataError: a text holds half a surrogate pair, which is no character.
    """
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            shown = ascii(text[max(0, error.start - 10) : error.start + 10])
            raise DataError(f"This text holds half a character ({shown}). Write it anew, as UTF-8.") from None


def padded_rows(rows: Sequence[Sequence[int]], longest: int | None, last: set[int]) -> tuple[Tensor, Tensor]:
    """Tokens of texts, cut and padded: (B, N), int64, 0 in the empty places, and their mask (B, N), bool.

    Args:
        rows: tokens of each text.
        longest: how many are kept; None for all.
        last: tokens that close a text; one of them stays the last when a text is cut.
    """
    kept = [
        [*row[: longest - 1], row[-1]]
        if longest and len(row) > longest and row[-1] in last
        else row[:longest]
        for row in rows
    ]
    words = Words.of_tokens(kept)
    return words.states, words.mask


def mostly(rows: Sequence[Sequence[int]], token: int | None, around: int) -> int:
    """How many rows are at least half of one token; ``around`` tokens of each are not counted."""
    return sum(token in row and 2 * row.count(token) >= len(row) - around for row in rows)


def files_digest(paths: Sequence[Path], *facts: object) -> str:
    """A hash (hex) of the names and contents of files, and of further facts."""
    sha = hashlib.sha256(repr(facts).encode())
    for path in paths:
        with path.open("rb") as file:
            sha.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return sha.hexdigest()


def _beside(mask: Tensor, states: Tensor) -> Tensor:
    """The mask, ready to be multiplied with states or tokens."""
    return mask.reshape(*mask.shape, *[1] * (states.ndim - 2)).to(states.dtype)
