"""The attention-only denoiser: a diffusion transformer (Peebles & Xie 2023, arXiv 2212.09748), kept small.

Pictures are cut into patches, each patch is one token. Rotary position codes along both axes instead of
learned ones, normalised queries and keys, and heads of 64, which ordinary processors like.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.nets.attention import Turn, check_heads, rotary_2d, rotate
from unfog.nets.detail import detail, filtered
from unfog.nets.layers import ClockEmbedding, Linear, check_settings, look_up, zeroed
from unfog.nets.patches import cut
from unfog.nets.position import Position


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Shape of the network.

    Attributes:
        channels: of the picture in and out.
        extra: further input channels (the ``concat`` slot).
        patch: side of a patch in pixels.
        width: of a token; a multiple of ``head``.
        depth: blocks.
        head: width of an attention head, a multiple of 4.
        vector: length of the condition vector that it accepts.
        position: whether patches know where in the picture they are, and not only how far apart.
        dropout: share of activations dropped in the feed-forward parts while training.
        variance: a second output for each channel, for a learned variance (``denoise/variance.py``).
        detail: from how many sizes of surroundings differences are held up (``nets/detail.py``), 0 for none.
    """

    channels: int = 3
    extra: int = 0
    patch: int = 4
    width: int = 192
    depth: int = 6
    head: int = 64
    vector: int = 128
    position: bool = False
    dropout: float = 0.0
    variance: bool = False
    detail: int = 0

    def __post_init__(self) -> None:
        check_settings(self, "channels", "patch", "width", "depth", "head", "vector")
        check_heads(self)


class TokenBlock(nn.Module):
    """Attention, then a feed-forward part; the noise level scales, shifts and gates both (adaLN-zero)."""

    def __init__(self, width: int, head: int, vector: int, dropout: float) -> None:
        super().__init__()
        self.head = head
        self.modulate = zeroed(nn.Linear(vector, 6 * width))
        self.qkv = Linear(width, 3 * width)
        self.out = Linear(width, width)
        self.feed = nn.Sequential(
            Linear(width, 4 * width), nn.GELU("tanh"), nn.Dropout(dropout), Linear(4 * width, width)
        )

    def forward(self, x: Tensor, vector: Tensor, turn: Turn) -> Tensor:
        """(B, N, D) and vectors (B, V) to (B, N, D)."""
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = self.modulate(vector)[:, None].chunk(6, 2)
        x = x + gate_a * self._attend(torch.addcmul(shift_a, self._norm(x), 1 + scale_a), turn)
        out: Tensor = x + gate_f * self.feed(torch.addcmul(shift_f, self._norm(x), 1 + scale_f))
        return out

    def _norm(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:])

    def _attend(self, x: Tensor, turn: Turn) -> Tensor:
        batch, count, width = x.shape
        q, k, v = self.qkv(x).view(batch, count, 3, width // self.head, self.head).permute(2, 0, 3, 1, 4)
        # normalised queries and keys keep attention from saturating at high learning rates
        q, k = (rotate(F.rms_norm(part, part.shape[-1:]), turn) for part in (q, k))
        mixed = look_up(q, k, v)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, count, width))
        return out


class Transformer(nn.Module):
    """Patches in, patches out; any height and width, as pictures are padded to whole patches."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        pixels, width = config.patch**2, config.width
        outputs = config.channels * (1 + config.variance + config.detail)
        self.clock = ClockEmbedding(config.vector)
        self.stem = Linear((config.channels * (1 + config.detail) + config.extra) * pixels, width)
        self.position = Position(width) if config.position else None
        self.blocks = nn.ModuleList(
            TokenBlock(width, config.head, config.vector, config.dropout) for _ in range(config.depth)
        )
        self.modulate = zeroed(nn.Linear(config.vector, 2 * width))
        self.head = zeroed(Linear(width, outputs * pixels))

    def forward(
        self, x: Tensor, clock: Tensor, vector: Tensor | None = None, concat: Tensor | None = None
    ) -> Tensor:
        """Predict the target; arguments as for ``UNet.forward``, (B, C, H, W) in and out."""
        emb = F.silu(self.clock(clock) if vector is None else self.clock(clock) + vector)
        fine = detail(x, clock, self.config.detail)
        x = torch.cat([x, fine.to(x), *([] if concat is None else [concat])], 1)
        patches, frame = cut(x, self.config.patch)
        h = self.stem(patches)
        if self.position is not None:
            h = h + self.position.of(frame.rows, frame.columns, x.device)
        turn = rotary_2d(frame.rows, frame.columns, self.config.head, x.device)
        for block in self.blocks:
            h = block(h, emb, turn)
        shift, scale = self.modulate(emb)[:, None].chunk(2, 2)
        out = frame.join(self.head(torch.addcmul(shift, F.layer_norm(h, h.shape[-1:]), 1 + scale)))
        return filtered(out, fine, self.config.channels)
