"""Looking: where the places of a picture are, what a text says to them, and what a second picture shows them.

Rotary codes tell how far two places are apart (Su et al. 2021, arXiv 2104.09864), here along both axes. In
cross-attention the places of a picture ask and the tokens of a text answer (Rombach et al. 2022,
arXiv 2112.10752). A picture given as a prompt answers beside the text, by keys and values of its own, so that
a model that has learned to listen to words need not change (decoupled cross-attention; Ye et al. 2023, the
IP-Adapter, arXiv 2308.06721).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.errors import ConfigError
from unfog.nets.layers import Linear, look_up, zeroed

Turn = tuple[Tensor, Tensor]


def rotary_2d(height: int, width: int, head: int, device: torch.device) -> Turn:
    """Cosines and sines that rotate queries and keys by row and column, each (height * width, head / 2)."""
    half = head // 4
    frequency = 100.0 ** (-torch.arange(half, device=device) / half)
    rows = torch.arange(height, device=device)[:, None] * frequency
    columns = torch.arange(width, device=device)[:, None] * frequency
    angle = torch.cat([rows.repeat_interleave(width, 0), columns.repeat(height, 1)], 1)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, turn: Turn) -> Tensor:
    """Rotate pairs of features of (..., N, head) by ``rotary_2d``."""
    (cos, sin), (a, b) = turn, x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def spin(x: Tensor, turn: Tensor) -> Tensor:
    """``rotate`` for neighbouring features of (..., head), as complex numbers: one product instead of four.

    Args:
        x: queries or keys.
        turn: cosines and sines as complex numbers, (..., head / 2).
    """
    wide = x if x.dtype == torch.float64 else x.float()  # there are no small complex numbers
    pairs = torch.view_as_complex(wide.view(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * turn).flatten(-2).to(x.dtype)


def check_heads(config: Any) -> None:
    """Refuse a width that heads do not fill, and heads that two axes do not share.

    Raises:
        ConfigError: naming the setting.
    """
    if config.width % config.head or config.head % 4:
        raise ConfigError(
            f"network.width = {config.width}: give a multiple of network.head = {config.head}, "
            "which is a multiple of 4."
        )


def check_prompts(config: Any) -> None:
    """Refuse widths of ``context`` and ``picture`` tokens that are not whole numbers from 0.

    Raises:
        ConfigError: naming the setting.
    """
    for name in ("context", "picture"):
        value = getattr(config, name)
        if not isinstance(value, int) or value < 0:
            raise ConfigError(f"network.{name} = {value!r}: give the width of its tokens, or 0 for none.")


@dataclass(frozen=True)
class Prompt:
    """What a network looks at besides the picture that it draws.

    Attributes:
        tokens: of a text, (B, N, T), each at mean 0 and variance 1; None where nobody speaks.
        mask: which of them are real, (B, N), bool; None where all are.
        picture: tokens of a picture given as a prompt, (B, M, P), or None.
    """

    tokens: Tensor | None
    mask: Tensor | None
    picture: Tensor | None

    @classmethod
    def of(cls, config: Any, tokens: Tensor | None, mask: Tensor | None, picture: Tensor | None) -> Prompt:
        """The slots of a condition, made sure that the network has ears for them.

        Raises:
            ConfigError: if it has not.
        """
        for name, said in (("context", tokens), ("picture", picture)):
            width = getattr(config, name)
            if said is not None and said.shape[-1] != width:
                raise ConfigError(
                    f"network.{name} = {width}, and tokens of {said.shape[-1]} came. "
                    f"Build the network with network.{name} = {said.shape[-1]}."
                )
        if tokens is not None:  # encoders differ in how loud they are
            tokens = F.layer_norm(tokens, tokens.shape[-1:])
        return cls(tokens, mask if tokens is not None else None, picture)


class PictureKeys(nn.Module):
    """Keys and values of a picture given as a prompt, for the queries of an attention that exists already.

    Keys are normalised and values are not: tokens of half the length count half, and tokens of 0 say nothing.
    That is how strong a prompt is. Values start at 0, so a model to which this is added draws what it drew.
    """

    def __init__(self, picture: int, width: int, *, silent: bool = True) -> None:
        """For tokens of a width, beside an attention of a width; ``silent`` begins with values of 0."""
        super().__init__()
        self.key = Linear(picture, width, bias=False)
        self.value = Linear(picture, width, bias=False)
        if silent:
            zeroed(self.value)

    def forward(self, query: Tensor, picture: Tensor) -> Tensor:
        """Queries (B, heads, N, head) and tokens (B, M, P) to (B, N, D), to add to what a text says."""
        batch, heads, count, head = query.shape
        key, value = (
            part.view(batch, -1, heads, head).transpose(1, 2)
            for part in (self.key(picture), self.value(picture))
        )
        mixed = look_up(query, F.layer_norm(key, key.shape[-1:]), value)
        return mixed.transpose(1, 2).reshape(batch, count, heads * head)


class CrossAttention(nn.Module):
    """Every place of a picture looks at the tokens of a text, or at nothing.

    To look at nothing is a key and a value of 0 that are always there. So a text without a real token adds
    exactly 0, as no text does.

    Args:
        width: channels of the picture.
        head: width of an attention head.
        context: width of the tokens of a text, 0 for none.
        picture: width of the tokens of a picture given as a prompt, 0 for none.
    """

    def __init__(self, width: int, head: int, context: int, picture: int = 0) -> None:
        super().__init__()
        self.width, self.head = width, head if width % head == 0 else width
        self.query = Linear(width, width, bias=False)
        self.pair = Linear(context, 2 * width, bias=False) if context else None
        self.out = zeroed(Linear(width, width, bias=False))
        # where there is no text, values of 0 in front of a layer of 0 would never learn
        self.picture = PictureKeys(picture, width, silent=context > 0) if picture else None

    def forward(self, x: Tensor, prompt: Prompt) -> Tensor:
        """Pictures (B, C, H, W), same shape out."""
        places = x.flatten(2).transpose(1, 2)
        query = self._split(self.query(F.layer_norm(places, places.shape[-1:])))
        query = F.layer_norm(query, query.shape[-1:])
        mixed = []
        if self.pair is not None and prompt.tokens is not None:
            mixed.append(self._listen(query, self.pair(prompt.tokens), prompt.mask))
        if self.picture is not None and prompt.picture is not None:
            mixed.append(self.picture(query, prompt.picture))
        if not mixed:
            return x
        said: Tensor = self.out(sum(mixed))
        return x + said.transpose(1, 2).reshape(x.shape)

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], -1, self.head).transpose(1, 2)

    def _listen(self, query: Tensor, pair: Tensor, mask: Tensor | None) -> Tensor:
        key, value = (self._split(part) for part in F.pad(pair, (0, 0, 0, 1)).chunk(2, 2))
        seen = None if mask is None else F.pad(mask, (0, 1), value=True)[:, None, None]
        mixed = look_up(query, F.layer_norm(key, key.shape[-1:]), value, seen)
        return mixed.transpose(1, 2).flatten(2)
