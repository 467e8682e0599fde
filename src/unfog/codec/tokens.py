"""Text <-> tokens: a vocabulary and three numbers that no text has.

0 ... n - 1    pieces of text (``codec/vocabulary.py``)
n              END: the document is over; also fills up a window behind it
n + 1          GAP: between a source and its target (a description and its summary)
n + 2          MASK: a token that is not known yet. Always the last; data never has it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unfog.codec.base import Codec
from unfog.codec.vocabulary import VOCABULARIES, Ids, Vocabulary
from unfog.errors import ConfigError, DataError, ModelError

FORMAT = 1


class TokenCodec(Codec):
    """Text <-> int64 tokens in 0..K - 1, without loss for any text.

    Args:
        words: the pieces of text.
        seen: the characters that its training text had, each once.
    """

    def __init__(self, words: Vocabulary, seen: str = "") -> None:
        super().__init__()
        self.words = words
        self.seen = seen

    @classmethod
    def learn(cls, texts: Sequence[str], kind: str = "character", size: int | None = None) -> TokenCodec:
        """Choose the tokens for some texts.

        Args:
            texts: training documents (and targets) only; what is held out must not shape the tokens.
            kind: 'byte', 'character' or 'bpe'.
            size: 'character': keep only so many, the most frequent; 'bpe': entries in all. None: all
                characters, or 4096 entries.

        Raises:
            ConfigError: there is no such kind, or the size is too small.
            DataError: there is no text.
        """
        if kind not in VOCABULARIES:
            raise ConfigError(f"There are no {kind!r} tokens. Kinds are: {', '.join(VOCABULARIES)}.")
        if size is not None and size < 1:
            raise ConfigError(f"A vocabulary of {size} entries holds nothing. Give a number above 0.")
        if not any(texts):
            raise DataError(
                "There is no text to choose tokens from. Give at least one document that is not empty."
            )
        seen = set().union(*texts)
        return cls(VOCABULARIES[kind].train(texts, size), "".join(sorted(seen)))

    @property
    def kind(self) -> str:
        """'byte', 'character' or 'bpe'."""
        return self.words.kind

    @property
    def vocabulary(self) -> int:
        """K: all tokens, END, GAP and MASK among them."""
        return len(self.words) + 3

    @property
    def end(self) -> int:
        """The token after a document."""
        return len(self.words)

    @property
    def gap(self) -> int:
        """The token between source and target."""
        return len(self.words) + 1

    @property
    def mask(self) -> int:
        """The token that hides one; K - 1."""
        return len(self.words) + 2

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of UTF-8 in each token, (K,); 0 for END, GAP and MASK. For bits per byte."""
        return np.array([*map(len, self.words.pieces), 0, 0, 0], np.int64)

    @cached_property
    def suffixes(self) -> tuple[int, ...]:
        """Tokens that begin without a space: what cannot stand where the space before a word is missing."""
        pieces = self.words.pieces
        return (*(i for i, piece in enumerate(pieces) if not piece.startswith(b" ")), self.end, self.gap)

    def encode_text(self, text: str) -> list[int]:
        """One text as tokens; no END behind it.

        Raises:
            DataError: it holds half a surrogate pair, which is no character.
        """
        ids: list[int] = self.words.encode_many([text])[0].tolist()
        return ids

    def encode_many(self, texts: Sequence[str]) -> list[Ids]:
        """Many texts as tokens, one int64 array (L,) each; no END behind them.

        Raises:
            DataError: one holds half a surrogate pair, which is no character.
        """
        return self.words.encode_many(texts)

    def encode(self, raw: Sequence[str]) -> Tensor:
        """Texts to int64 (B, L): each with END behind it, and END up to the length of the longest."""
        rows = self.encode_many(raw)
        out = np.full((len(rows), 1 + max(map(len, rows), default=0)), self.end, np.int64)
        for line, row in zip(out, rows, strict=True):
            line[: len(row)] = row
        return torch.from_numpy(out)

    def decode(self, z: Tensor | Ids | Sequence[int], *, stop: bool = True, hidden: str = "") -> str:
        """Tokens (L,) back to text.

        Args:
            z: tokens in 0..K - 1.
            stop: end at the first END; otherwise what lies behind it is shown too.
            hidden: what is shown for MASK.

        Raises:
            DataError: a number is not a token.
        """
        ids = z.tolist() if isinstance(z, (Tensor, np.ndarray)) else list(z)
        if ids and not (min(ids) >= 0 and max(ids) < self.vocabulary):
            raise DataError(
                f"Tokens are 0 to {self.vocabulary - 1} here; {min(ids)} to {max(ids)} were given."
            )
        if stop and self.end in ids:
            ids = ids[: ids.index(self.end)]
        pieces, special = self.words.pieces, {self.mask: hidden.encode()}
        whole = [pieces[i] if i < len(pieces) else special.get(i, b"") for i in ids]
        return b"".join(whole).decode("utf-8", "replace")

    def decode_many(self, z: Tensor, *, stop: bool = True, hidden: str = "") -> list[str]:
        """Tokens (B, L) back to B texts; see ``decode``."""
        return [self.decode(row, stop=stop, hidden=hidden) for row in z.cpu()]

    def unseen(self, text: str) -> str:
        """Characters of a text that the training text never had, each once, in order of appearance.

        They can be encoded all the same, but no model can know what they mean.
        """
        known = self._known
        return "".join(dict.fromkeys(each for each in text if each not in known))

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.seen)

    def to_json(self) -> str:
        """Everything as one JSON text."""
        values = {"format": FORMAT, "kind": self.kind, "seen": self.seen, **self.words.to_dict()}
        return json.dumps(values, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> TokenCodec:
        """Back from ``to_json``. The text is read as plain values; nothing in it is run.

        Raises:
            ModelError: it is damaged, or of another format.
        """
        try:
            values = json.loads(text)
            if values["format"] != FORMAT:
                raise ModelError(
                    f"The tokens are of format {values['format']!r}, not {FORMAT}. Try a newer unfog."
                )
            words = VOCABULARIES[values["kind"]].from_dict(values)
            return cls(words, str(values["seen"]))
        except ModelError:
            raise
        except Exception as error:  # the library tokenizers raises a bare Exception
            raise ModelError(
                f"The tokens of the model are damaged ({type(error).__name__}: {error}). Train it again."
            ) from error
