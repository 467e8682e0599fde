"""A denoiser of single vectors: no places, no neighbours, only layers with a way past them.

It is what the prior of visual words works with: a noisy embedding of a picture and the embedding of a text
in, the clean one out (Ramesh et al. 2022, arXiv 2204.06125, take a transformer for it, over the words of the
text; for one vector given one vector layers do). Noise level and text scale and shift every layer, as in
adaLN-zero (Peebles & Xie 2023, arXiv 2212.09748).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.nets.layers import ClockEmbedding, Linear, check_settings, gated, zeroed


@dataclass(frozen=True, kw_only=True)
class VectorNetConfig:
    """Shape of the network.

    Attributes:
        size: E, numbers in a vector, in and out.
        vector: numbers in the vector that steers it; one of zeros says nothing.
        width: numbers inside.
        depth: blocks.
        dropout: share of activations dropped in each block while training.
    """

    size: int
    vector: int
    width: int = 256
    depth: int = 3
    dropout: float = 0.1

    def __post_init__(self) -> None:
        check_settings(self, "size", "vector", "width", "depth", place="prior")


class VectorBlock(nn.Module):
    """Two layers with a way past them, scaled, shifted and gated by what steers them."""

    def __init__(self, config: VectorNetConfig) -> None:
        super().__init__()
        width = config.width
        self.modulate = zeroed(Linear(width, 3 * width))
        self.wide, self.narrow = Linear(width, 4 * width), Linear(2 * width, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        """(B, D) and what steers it, (B, D), to (B, D)."""
        shift, scale, gate = self.modulate(emb).chunk(3, 1)
        inner = gated(self.wide(torch.addcmul(shift, F.layer_norm(x, x.shape[-1:]), 1 + scale)))
        return torch.addcmul(x, gate, self.narrow(self.dropout(inner)))


class VectorNet(nn.Module):
    """Noisy vectors in, the target out."""

    def __init__(self, config: VectorNetConfig) -> None:
        super().__init__()
        self.config = config
        self.clock = ClockEmbedding(config.width)
        self.stem = Linear(config.size, config.width)
        self.condition = Linear(config.vector, config.width, bias=False)
        self.said = Linear(config.width, config.width, bias=False)
        self.blocks = nn.ModuleList(VectorBlock(config) for _ in range(config.depth))
        self.head = zeroed(Linear(config.width, config.size))

    def forward(self, x: Tensor, clock: Tensor, vector: Tensor | None = None) -> Tensor:
        """Predict the target.

        Args:
            x: scaled noisy vectors, (B, E).
            clock: log(alpha / sigma), (B,).
            vector: what steers, (B, V); zeros, or None, say nothing.
        """
        emb, h = self.clock(clock), self.stem(x)
        if vector is not None:
            said = self.condition(vector)
            emb, h = emb + said, h + self.said(F.silu(said))
        emb = F.silu(emb)
        for block in self.blocks:
            h = block(h, emb)
        out: Tensor = self.head(F.layer_norm(h, h.shape[-1:]))
        return out
