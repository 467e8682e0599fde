"""Words, and a picture beside them: for a model that learned to listen to words alone.

The words go where they always went. The picture's visual words go into a slot of their own, ``picture``, that
the network answers with keys and values of its own (IP-Adapter; Ye et al. 2023, arXiv 2308.06721). Where no
picture is given the slot holds zeros, which say nothing: the model then draws what it drew before.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.condition.base import Condition, Encoder
from unfog.condition.text import WordsEncoder
from unfog.condition.words import Words
from unfog.nets.gaze import words_of


class PicturePrompt(nn.Module):
    """Embeddings to tokens for the slot ``picture``; how long an embedding is says how much it counts.

    Args:
        size: E, numbers in an embedding.
        words: M, visual words in it.
        width: P, numbers in a token.
    """

    def __init__(self, size: int, words: int, width: int) -> None:
        super().__init__()
        self.size, self.words = size, words
        self.condition = nn.Linear(size // words, width)
        self.place = nn.Parameter(torch.randn(words, width))  # which of the words it is

    def forward(self, seen: Tensor) -> Tensor:
        """(B, E) to tokens (B, M, P), of variance 1 for an embedding of length 1, and 0 for one of 0."""
        seen = seen.to(self.place)
        tokens = self.condition(words_of(F.normalize(seen, dim=1), self.words)) + self.place
        found: Tensor = F.layer_norm(tokens, tokens.shape[-1:]) * seen.norm(dim=1)[:, None, None]
        return found


class WordsAndPicture(Encoder):
    """``Words`` and embeddings to vector, tokens and mask, and the slot ``picture``.

    Args:
        words: the encoder of the model that knew words alone.
        picture: what is new.
    """

    def __init__(self, words: WordsEncoder, picture: PicturePrompt) -> None:
        super().__init__()
        self.words, self.picture = words, picture

    def forward(self, raw: tuple[Words, Tensor]) -> Condition:
        """Words (B, N, ...) and embeddings (B, E), 0 for none."""
        said: Condition = self.words(raw[0])
        return replace(said, picture=self.picture(raw[1]))

    def of(self, *told: Tensor) -> Condition:
        """See ``Encoder.of``: the tensors of ``Words``, and embeddings (B, E)."""
        condition: Condition = self((Words.from_tensors(told[:-1]), told[-1]))
        return condition

    def hide(self, told: tuple[Tensor, ...], hidden: Tensor) -> tuple[Tensor, ...]:
        """See ``Encoder.hide``: both are hidden."""
        seen = told[-1] * ~hidden[:, None].to(told[-1].device)
        return *self.words.hide(told[:-1], hidden), seen

    def null(self, batch: int) -> Condition:
        """What neither words nor a picture mean."""
        nothing = torch.zeros(batch, self.picture.size, device=self.picture.place.device)
        return replace(self.words.null(batch), picture=self.picture(nothing))
