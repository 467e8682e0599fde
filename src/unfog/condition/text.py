"""From words to a condition: the part of reading that the picture model learns.

What a frozen language model read becomes tokens that the network attends to, and one vector that is added to
the noise level (Saharia et al. 2022, arXiv 2205.11487, does both). A few blocks of attention may stand
between, as a language model was not made to be drawn from. Where there is no language model, all of the
reading is learned, from plain tokens.

Texts that say nothing get a vector and a token of their own, learned where captions are hidden in training;
guidance leads away from them (Ho & Salimans 2022, arXiv 2207.12598).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.condition.base import Condition, Encoder
from unfog.condition.words import Words, masked_mean
from unfog.errors import ConfigError, DataError
from unfog.nets.layers import check_settings
from unfog.nets.text import TextBlock, rotary


@dataclass(frozen=True, kw_only=True)
class TextEncoderConfig:
    """Shape of a ``TextEncoder``.

    Attributes:
        states: D, numbers in a state of the language model.
        width: T, numbers in a token of the condition; a multiple of ``head``.
        vector: V, length of the condition vector.
        depth: blocks of attention between; 0 for none.
        head: width of an attention head, an even number.
        dropout: share of activations dropped in the blocks while training.
    """

    states: int
    width: int = 256
    vector: int = 128
    depth: int = 0
    head: int = 64
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_settings(self, "states", "width", "vector", "head", place="text")
        if not isinstance(self.depth, int) or self.depth < 0:
            raise ConfigError(f"text.depth = {self.depth!r}: give a number of blocks, or 0 for none.")
        _check_heads(self.width, self.head)


@dataclass(frozen=True, kw_only=True)
class OwnTextEncoderConfig:
    """Shape of an ``OwnTextEncoder``.

    Attributes:
        vocabulary: how many tokens there are, special ones included.
        width: T, numbers in a token, inside and in the condition; a multiple of ``head``.
        vector: V, length of the condition vector.
        depth: blocks of attention.
        near: neighbours, itself among them, that a token hears before the blocks; an odd number, 0 for none.
        head: width of an attention head, an even number.
        dropout: share of activations dropped in the blocks while training.
    """

    vocabulary: int
    width: int = 256
    vector: int = 128
    depth: int = 4
    near: int = 0
    head: int = 64
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_settings(self, "vocabulary", "width", "vector", "depth", "head", place="text")
        if not isinstance(self.near, int) or self.near < 0 or (self.near and self.near % 2 == 0):
            raise ConfigError(f"text.near = {self.near!r}: give an odd number of tokens, or 0 for none.")
        _check_heads(self.width, self.head)


def _check_heads(width: int, head: int) -> None:
    if width % head or head % 2:
        raise ConfigError(
            f"text.width = {width}: give a multiple of text.head = {head}, which is an even number."
        )


class WordsEncoder(Encoder):
    """An encoder of ``Words``, whose tensors are what a training batch carries."""

    def of(self, *told: Tensor) -> Condition:
        """See ``Encoder.of``: the tensors of ``Words``."""
        condition: Condition = self(Words.from_tensors(told))
        return condition

    def hide(self, told: tuple[Tensor, ...], hidden: Tensor) -> tuple[Tensor, ...]:
        """See ``Encoder.hide``."""
        return Words.from_tensors(told).hide(hidden).tensors()


class TextEncoder(WordsEncoder):
    """``Words`` of a frozen language model to vector, tokens and mask."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.norm = nn.LayerNorm(config.states)
        self.token = nn.Linear(config.states, config.width)
        self.blocks = _blocks(config.depth, config.width, config.head, config.dropout)
        self.close = nn.LayerNorm(config.width)
        self.norm_whole = nn.LayerNorm(config.states)
        self.vector = nn.Linear(config.states, config.vector)
        self.nothing = Nothing(config.width, config.vector)

    def forward(self, raw: Words) -> Condition:
        """Words (B, N, D) become vectors (B, V), tokens (B, N, T) and their mask (B, N).

        Raises:
            DataError: these words have no states, or states of another width.
        """
        if raw.states.ndim < 3 or raw.states.shape[2] != self.config.states:
            given = "plain tokens" if raw.states.ndim < 3 else f"states of {raw.states.shape[2]} numbers"
            raise DataError(
                f"These words are {given}; this model reads states of {self.config.states} numbers. "
                "Read them with the language model that it learned with."
            )
        words = raw.to(self.vector.weight.device)
        tokens = _mixed(self.blocks, self.token(self.norm(words.states)), words.mask, self.config.head)
        vector = self.vector(self.norm_whole(words.whole()))
        return self.nothing.instead(vector, self.close(tokens), words.mask, words.present)

    def null(self, batch: int) -> Condition:
        """What no text means: vectors (batch, V), one token each (batch, 1, T), and its mask."""
        return self.nothing.times(batch)


class OwnTextEncoder(WordsEncoder):
    """Plain tokens to vector, tokens and mask: reading is learned together with drawing."""

    def __init__(self, config: OwnTextEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Embedding(config.vocabulary, config.width)
        self.near = Near(config.width, config.near) if config.near else None
        self.blocks = _blocks(config.depth, config.width, config.head, config.dropout)
        self.close = nn.LayerNorm(config.width)
        self.vector = nn.Linear(config.width, config.vector)
        self.nothing = Nothing(config.width, config.vector)

    def forward(self, raw: Words) -> Condition:
        """Words that are plain tokens (B, N) become vectors (B, V), tokens (B, N, T) and their mask (B, N).

        Raises:
            DataError: these words are states of a language model.
        """
        if raw.states.ndim != 2:
            raise DataError("These words are states of a language model; this model reads plain tokens.")
        words = raw.to(self.vector.weight.device)
        x = F.layer_norm(self.stem(words.states), (self.config.width,))
        x = x if self.near is None else self.near(x, words.mask)
        tokens = self.close(_mixed(self.blocks, x, words.mask, self.config.head))
        vector = self.vector(masked_mean(tokens, words.mask))
        return self.nothing.instead(vector, tokens, words.mask, words.present)

    def null(self, batch: int) -> Condition:
        """What no text means: vectors (batch, V), one token each (batch, 1, T), and its mask."""
        return self.nothing.times(batch)


class Near(nn.Module):
    """Tokens that heard their neighbours.

    "Red circle" differs from "circle ... red" by what stands next to what. Attention has to find that out
    from the distances of all pairs; a convolution is born with it.

    Args:
        width: numbers in a token.
        size: neighbours, an odd number.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, size, padding=size // 2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Tokens (B, N, T), of which ``mask`` (B, N) are there."""
        there = torch.where(mask[:, :, None], x, 0.0)
        heard: Tensor = self.conv(there.transpose(1, 2)).transpose(1, 2)
        return x + heard


class Nothing(nn.Module):
    """The learned condition of texts that say nothing: one vector, one token.

    Args:
        width: T of the token.
        vector: V of the vector.
    """

    def __init__(self, width: int, vector: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(width))  # as large as other tokens are after their norm
        self.vector = nn.Parameter(torch.zeros(vector))

    def times(self, batch: int) -> Condition:
        """It, ``batch`` times: vectors (batch, V), one token each (batch, 1, T), and its mask (batch, 1)."""
        mask = torch.ones(batch, 1, dtype=torch.bool, device=self.token.device)
        return Condition(
            vector=self.vector.expand(batch, -1), tokens=self.token.expand(batch, 1, -1), mask=mask
        )

    def instead(self, vector: Tensor, tokens: Tensor, mask: Tensor, present: Tensor) -> Condition:
        """A condition in which texts that are not ``present`` (B,) say nothing; empty places are 0."""
        here = present[:, None]
        only = torch.zeros_like(mask)
        only[:, 0] = True
        nothing = F.pad(self.token[None, None], (0, 0, 0, tokens.shape[1] - 1))
        kept = torch.where(mask[:, :, None], tokens, 0.0)
        return Condition(
            vector=torch.where(here, vector, self.vector.to(vector.dtype)),
            tokens=torch.where(here[:, :, None], kept, nothing.to(kept.dtype)),
            mask=torch.where(here, mask, only),
        )


def _blocks(depth: int, width: int, head: int, dropout: float) -> nn.ModuleList:
    return nn.ModuleList(TextBlock(width, head, dropout) for _ in range(depth))


def _mixed(blocks: nn.ModuleList, x: Tensor, mask: Tensor, head: int) -> Tensor:
    """Tokens (B, N, T) after blocks in which none looks at an empty place."""
    if not len(blocks):
        return x
    turn = rotary(torch.arange(x.shape[1], device=x.device), head, x.dtype)
    seen = mask.clone()
    seen[:, 0] = True  # a text without tokens would look at nothing at all, and its states be undefined
    for block in blocks:
        x = block(x, turn, seen[:, None, None])
    return x
