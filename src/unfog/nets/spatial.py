"""Places of a picture that look at each other, at a text, and then each think for themselves.

Convolutions see their neighbours, and cross-attention sees words. What neither of them sees is which of two
things stands left of the other, as 'a red star left of a blue ring' wants it: for that, a place has to know
what others far away are about to become. So between blocks of convolutions stand blocks of a transformer
(Rombach et al. 2022, arXiv 2112.10752, the spatial transformer): self-attention, in which rotary codes tell
how far apart two places are, cross-attention to the words, and a gated feed-forward part (SwiGLU; Shazeer
2020, arXiv 2002.05202).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.nets.attention import CrossAttention, Prompt, rotary_2d, spin
from unfog.nets.layers import Linear, gated, look_up, zeroed


def head_of(width: int, most: int) -> int:
    """The widest head up to ``most`` that fills a width and that two axes share; the width if none does."""
    fitting = (head for head in range(min(most, width), 3, -1) if not width % head and not head % 4)
    return next(fitting, width)


class SelfAttention(nn.Module):
    """Every place looks at every other, and knows how far away it is along both axes."""

    def __init__(self, width: int, head: int) -> None:
        super().__init__()
        self.split = (width // head, head)
        self.qkv = Linear(width, 3 * width, bias=False)
        self.out = zeroed(Linear(width, width, bias=False))

    def forward(self, places: Tensor, turn: Tensor) -> Tensor:
        """Places (B, N, C) and rotary codes, complex, (N, 1, 1, head / 2), to (B, N, C)."""
        asked = self.qkv(F.layer_norm(places, places.shape[-1:]))
        query_key, value = torch.split(asked.view(*asked.shape[:2], 3, *self.split), [2, 1], 2)
        # normalised queries and keys keep attention from saturating at high learning rates
        query, key = spin(F.layer_norm(query_key, query_key.shape[-1:]), turn).transpose(1, 3).unbind(2)
        mixed = look_up(query, key, value.squeeze(2).transpose(1, 2))
        found: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return found


class FeedForward(nn.Module):
    """What a place makes of what it saw, by itself."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        inner = -(-8 * width // (3 * 64)) * 64  # as many weights as an ungated part of four times the width
        self.wide = Linear(width, 2 * inner, bias=False)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.narrow = zeroed(Linear(inner, width, bias=False))

    def forward(self, places: Tensor) -> Tensor:
        """(B, N, C), same shape out."""
        inner = gated(self.wide(F.layer_norm(places, places.shape[-1:])))
        thought: Tensor = self.narrow(self.dropout(inner))
        return thought


class SpatialTransformer(nn.Module):
    """Self-attention, cross-attention and a feed-forward part, each with a way past it.

    Args:
        width: channels of the picture.
        head: widest that an attention head may be.
        context: width of the tokens of a text, 0 for none.
        picture: width of the tokens of a picture given as a prompt, 0 for none.
        dropout: share of activations dropped in the feed-forward part while training.
    """

    def __init__(self, width: int, head: int, context: int, picture: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.width, self.head = width, head_of(width, head)
        self.places = SelfAttention(width, self.head)
        self.words = CrossAttention(width, self.head, context, picture)
        self.feed = FeedForward(width, dropout)

    def forward(self, x: Tensor, prompt: Prompt) -> Tensor:
        """Pictures (B, C, H, W), same shape out."""
        height, width = x.shape[2:]
        turn = torch.complex(*rotary_2d(height, width, self.head, x.device))[:, None, None]
        places = x.flatten(2).transpose(1, 2)
        seen = (places + self.places(places, turn)).transpose(1, 2).reshape(x.shape)
        places = self.words(seen, prompt).flatten(2).transpose(1, 2)
        out: Tensor = places + self.feed(places)
        return out.transpose(1, 2).reshape(x.shape)
