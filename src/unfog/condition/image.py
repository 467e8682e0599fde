"""From a picture's visual words to a condition: what a network draws from when a picture is given to it.

As in DALL-E 2 (Ramesh et al. 2022, arXiv 2204.06125): the embedding as a whole is added to the noise level,
and its visual words are tokens that the network attends to. Who made the embedding does not matter: an
encoder that looked at a picture, a prior that read a text, or a mixture of two.

A set of pictures is a set of points; a network that saw each with exactly its own embedding could learn it by
heart and would be lost between them. So embeddings get some noise in training (``blurred``), as small
pictures do that steer larger ones (Ho et al. 2021, arXiv 2106.15282).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.condition.base import Condition, Encoder
from unfog.condition.text import Nothing
from unfog.errors import ConfigError, DataError
from unfog.nets.gaze import words_of


@dataclass(frozen=True, kw_only=True)
class PictureEncoderConfig:
    """Shape of a ``PictureEncoder``.

    Attributes:
        size: E, numbers in an embedding; a multiple of ``words``.
        words: M, visual words in it.
        width: T, numbers in a token of the condition.
        vector: V, length of the condition vector.
    """

    size: int
    words: int
    width: int = 256
    vector: int = 128

    def __post_init__(self) -> None:
        for name in ("size", "words", "width", "vector"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f"pairs.{name} = {value!r}: give a whole number above 0.")
        if self.size % self.words:
            raise ConfigError(f"pairs.size = {self.size}: give a multiple of pairs.words = {self.words}.")


class PictureEncoder(Encoder):
    """Embeddings of pictures to vector, tokens and mask; one of length 0 says nothing."""

    def __init__(self, config: PictureEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.vector = nn.Linear(config.size, config.vector)
        self.token = nn.Linear(config.size // config.words, config.width)
        self.place = nn.Parameter(torch.randn(config.words, config.width))  # which of the words it is
        self.nothing = Nothing(config.width, config.vector)

    def forward(self, raw: Tensor) -> Condition:
        """Embeddings (B, E) of length 1, or 0, to vectors (B, V), tokens (B, M, T) and their mask (B, M).

        Raises:
            DataError: these are embeddings of another size.
        """
        size, words = self.config.size, self.config.words
        if raw.ndim != 2 or raw.shape[1] != size:
            raise DataError(f"Embeddings of {size} numbers are read here, not {tuple(raw.shape)}.")
        seen = raw.to(self.vector.weight)
        present = seen.abs().sum(1) > 0
        tokens = F.layer_norm(self.token(words_of(seen, words)) + self.place, (self.config.width,))
        mask = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        return self.nothing.instead(self.vector(seen * size**0.5), tokens, mask, present)

    def of(self, *told: Tensor) -> Condition:
        """See ``Encoder.of``: embeddings (B, E)."""
        condition: Condition = self(told[0])
        return condition

    def hide(self, told: tuple[Tensor, ...], hidden: Tensor) -> tuple[Tensor, ...]:
        """See ``Encoder.hide``."""
        return (told[0] * ~hidden[:, None].to(told[0].device),)

    def null(self, batch: int) -> Condition:
        """What no picture means: vectors (batch, V), one token each (batch, 1, T), and its mask."""
        return self.nothing.times(batch)


def blurred(embeddings: Tensor, noise: Tensor, amount: float | Tensor) -> Tensor:
    """Embeddings (B, E) with noise added, of length 1 again.

    Args:
        embeddings: of length 1.
        noise: standard normal, (B, E).
        amount: length of what is added, beside 1 of the embedding; a number or (B,). 0 changes nothing, and
            1 turns it by 45 degrees.
    """
    length = torch.as_tensor(amount).to(embeddings)
    length = length[:, None] if length.ndim else length
    return F.normalize(embeddings + length * noise / embeddings.shape[1] ** 0.5, dim=1)
