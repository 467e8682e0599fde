"""Texts as plain tokens, for an encoder that learns to read together with the picture model.

It stands where a language model stands, so that a recipe need not know which of both it has. Which tokens
there are is the codec's matter (``codec/tokens.py``); only the function that spells a text comes in here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch

from unfog.condition.language import LONGEST, LanguageModel
from unfog.condition.words import Words

Spell = Callable[[Sequence[str]], Sequence[Any]]
"""Texts to their tokens, whole numbers: a list, or an array (L,), for each."""


class Spelling(LanguageModel):
    """Gives ``Words`` whose states are tokens, (B, N), int64; for an ``OwnTextEncoder``.

    Args:
        spell: texts to their tokens, for example ``TokenCodec.encode_many``.
        identity: changes with the tokens, for example ``TokenCodec.to_json()``.
        longest: tokens that are read of a text; None for 128.
    """

    dear: ClassVar[bool] = False

    def __init__(self, spell: Spell, identity: str, longest: int | None = None) -> None:
        self.name, self.width = "own", 0
        self.longest = longest or LONGEST
        self._spell, self._identity = spell, identity

    @property
    def fingerprint(self) -> str:
        """Of the tokens."""
        return hashlib.sha256(f"own {self.longest} {self._identity}".encode()).hexdigest()

    def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has."""
        return [len(row) for row in self._spell(texts)]

    def _read(self, texts: list[str]) -> Words:
        rows = [[int(token) for token in row] for row in self._spell(texts)]
        return Words.of_tokens(rows, self.longest)

    def _nothing(self) -> Words:
        return Words(torch.zeros(0, 1).long(), torch.zeros(0, 1).bool(), torch.zeros(0).bool())
