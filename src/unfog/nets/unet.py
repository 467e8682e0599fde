"""The convolutional denoiser: a U-Net (Ronneberger et al. 2015; Ho et al. 2020), cut for ordinary processors.

Two choices make it fast without a GPU. Pixels are folded into channels before the first convolution (space to
depth), so that no layer runs at full resolution, where it would be all memory traffic. Attention, with heads
of 64, runs at the lowest resolution only. To a text, which has few tokens, more places can listen: after each
residual block of the lowest levels (cross-attention; Rombach et al. 2022, arXiv 2112.10752). Where a text
says how things stand to each other, these places look at each other as well (``nets/spatial.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.errors import ConfigError
from unfog.nets.attention import CrossAttention, Prompt, check_prompts
from unfog.nets.detail import detail, filtered
from unfog.nets.layers import ClockEmbedding, attend, check_settings, group_norm, padding_to, zeroed
from unfog.nets.position import Position
from unfog.nets.spatial import SpatialTransformer


@dataclass(frozen=True, kw_only=True)
class UNetConfig:
    """Shape of the network.

    Attributes:
        channels: of the picture in and out.
        extra: further input channels (the ``concat`` slot).
        patch: side of the pixel blocks folded into channels at the door, 1 for none.
        widths: channels at each resolution, highest first; each level halves the side.
        depth: residual blocks at each level on the way down (one more on the way up).
        head: width of an attention head.
        vector: length of the condition vector that it accepts.
        context: width of the text tokens that it accepts, 0 for none.
        context_levels: at how many levels, the lowest ones, places look at them; where there are at most
            16 x 16 places it is cheap.
        spatial: at how many of these levels, the lowest ones, places also look at each other and think
            (``SpatialTransformer``); 0 for none.
        position: whether places know where in the picture they are when they look.
        picture: width of the tokens of a picture given as a prompt, 0 for none; looked at beside the text.
        dropout: share of activations dropped in each block while training.
        variance: a second output for each channel, for a learned variance (``denoise/variance.py``).
        detail: from how many sizes of surroundings differences are held up (``nets/detail.py``), 0 for none.
    """

    channels: int = 3
    extra: int = 0
    patch: int = 2
    widths: tuple[int, ...] = (32, 64)
    depth: int = 2
    head: int = 64
    vector: int = 128
    context: int = 0
    context_levels: int = 2
    spatial: int = 0
    position: bool = False
    picture: int = 0
    dropout: float = 0.0
    variance: bool = False
    detail: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.widths, tuple) or not self.widths:
            raise ConfigError(
                f"network.widths = {self.widths!r}: give one number for each level, e.g. [32, 64]."
            )
        check_settings(self, "channels", "patch", "widths", "depth", "head", "vector", "context_levels")
        check_prompts(self)
        if not isinstance(self.spatial, int) or self.spatial < 0:
            raise ConfigError(f"network.spatial = {self.spatial!r}: give a number of levels, or 0 for none.")


class Attention(nn.Module):
    """Every place looks at every other place."""

    def __init__(self, width: int, head: int) -> None:
        super().__init__()
        self.head = head if width % head == 0 else width
        self.norm = group_norm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = zeroed(nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W), same shape out."""
        places = self.norm(x).flatten(2).transpose(1, 2)
        query, key, value = self.qkv(places).chunk(3, 2)
        mixed: Tensor = self.out(attend(query, key, value, self.head))
        return x + mixed.transpose(1, 2).reshape(x.shape)


class Block(nn.Module):
    """Two convolutions with a way past them; the noise level scales and shifts what is in between."""

    def __init__(self, width_in: int, width: int, vector: int, dropout: float) -> None:
        super().__init__()
        self.norm_in = group_norm(width_in)
        self.conv_in = nn.Conv2d(width_in, width, 3, padding=1)
        self.modulate = zeroed(nn.Linear(vector, 2 * width))
        self.norm_out = group_norm(width)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.conv_out = zeroed(nn.Conv2d(width, width, 3, padding=1))
        self.skip = nn.Conv2d(width_in, width, 1) if width_in != width else nn.Identity()

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        """(B, C_in, H, W) and vectors (B, D) to (B, C, H, W)."""
        h = self.conv_in(F.silu(self.norm_in(x)))
        scale, shift = self.modulate(vector)[:, :, None, None].chunk(2, 1)
        h = torch.addcmul(shift, self.norm_out(h), 1 + scale)
        out: Tensor = self.skip(x) + self.conv_out(self.dropout(F.silu(h)))
        return out


class UNet(nn.Module):
    """Down to a coarse view, and back up with the details handed across.

    Any height and width: pictures are padded with zeros to a multiple of what the levels need, and cropped
        again.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        pixels, vector = config.patch**2, config.vector
        inputs = config.channels * (1 + config.detail) + config.extra
        outputs = config.channels * (1 + config.variance + config.detail)
        self.clock = ClockEmbedding(vector)
        self.stem = nn.Conv2d(inputs * pixels, config.widths[0], 3, padding=1)
        self.down, self.shrink, handed = nn.ModuleList(), nn.ModuleList(), [config.widths[0]]
        width = config.widths[0]
        for level, wide in enumerate(config.widths):
            if level:
                self.shrink.append(nn.Conv2d(width, wide, 3, padding=1, stride=2))
                width = wide
                handed.append(width)
            for _ in range(config.depth):
                self.down.append(Block(width, wide, vector, config.dropout))
                width = wide
                handed.append(width)
        self.attention = Attention(width, config.head)
        self.middle = Block(width, width, vector, config.dropout)
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for level, wide in reversed(list(enumerate(config.widths))):
            for _ in range(config.depth + 1):
                self.up.append(Block(width + handed.pop(), wide, vector, config.dropout))
                width = wide
            if level:
                # mixed while still small: a convolution after growing would be the dearest of all
                self.grow.append(nn.Conv2d(width, config.widths[level - 1], 1))
                width = config.widths[level - 1]
        self.norm = group_norm(width)
        self.head = zeroed(nn.Conv2d(width, outputs * pixels, 3, padding=1))
        looks = _looks(config)
        told = {name: Position(look.width) for name, look in looks.items()} if config.position else {}
        self.looks, self.positions = nn.ModuleDict(looks), nn.ModuleDict(told)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs

    def forward(
        self,
        x: Tensor,
        clock: Tensor,
        vector: Tensor | None = None,
        concat: Tensor | None = None,
        tokens: Tensor | None = None,
        mask: Tensor | None = None,
        picture: Tensor | None = None,
    ) -> Tensor:
        """Predict the target.

        Args:
            x: scaled noisy pictures, (B, C, H, W).
            clock: log(alpha / sigma), (B,).
            vector: what steers it, (B, D), added to the embedding of the clock.
            concat: further channels, (B, extra, H, W).
            tokens: of a text, (B, N, context).
            mask: which of them are real, (B, N), bool; all are without it.
            picture: tokens of a picture given as a prompt, (B, M, picture); their length is its strength.

        Returns:
            (B, C, H, W), or (B, 2 C, H, W) with ``variance``.

        Raises:
            ConfigError: if the network was not built for such tokens.
        """
        config, prompt = self.config, Prompt.of(self.config, tokens, mask, picture)
        emb = self.clock(clock) if vector is None else self.clock(clock) + vector
        emb = F.silu(emb)
        fine = detail(x, clock, config.detail)
        x = torch.cat([x, fine.to(x), *([] if concat is None else [concat])], 1)
        height, width = x.shape[2:]
        pad = padding_to((height, width), config.patch * 2 ** (len(config.widths) - 1))
        h = F.pixel_unshuffle(F.pad(x, pad), config.patch).contiguous(memory_format=torch.channels_last)
        h = self.stem(h)
        h = self._up(self._down(h, emb, prompt), emb, prompt)
        h = F.pixel_shuffle(self.head(F.silu(self.norm(h))), config.patch)
        h = h[:, :, pad[2] : pad[2] + height, pad[0] : pad[0] + width]
        return filtered(h, fine, config.channels)

    def _down(self, h: Tensor, emb: Tensor, prompt: Prompt) -> list[Tensor]:
        handed, depth = [h], self.config.depth
        for level in range(len(self.config.widths)):
            if level:
                h = self.shrink[level - 1](h)
                handed.append(h)
            for i in range(level * depth, (level + 1) * depth):
                h = self._look(f"down{i}", self.down[i](h, emb), prompt)
                handed.append(h)
        return [*handed, self._look("middle", self.middle(self.attention(h), emb), prompt)]

    def _up(self, handed: list[Tensor], emb: Tensor, prompt: Prompt) -> Tensor:
        h, depth = handed.pop(), self.config.depth + 1
        for level in range(len(self.config.widths)):
            for i in range(level * depth, (level + 1) * depth):
                h = self._look(f"up{i}", self.up[i](torch.cat([h, handed.pop()], 1), emb), prompt)
            if level < len(self.grow):
                h = F.interpolate(self.grow[level](h), scale_factor=2.0, mode="nearest")
        return h

    def _look(self, after: str, h: Tensor, prompt: Prompt) -> Tensor:
        if after in self.positions:
            h = self.positions[after](h)
        if after in self.looks:
            h = self.looks[after](h, prompt)
        return h


def _looks(config: UNetConfig) -> dict[str, CrossAttention | SpatialTransformer]:
    """Attention by the name of the residual block that it follows; none without a text or picture."""
    if not config.context and not config.picture:
        return {}

    def look(level: int) -> CrossAttention | SpatialTransformer:
        width = config.widths[level]
        if level >= count - config.spatial:
            return SpatialTransformer(width, config.head, config.context, config.picture, config.dropout)
        return CrossAttention(width, config.head, config.context, config.picture)

    count = len(config.widths)
    found = {"middle": look(count - 1)}
    for level in range(max(0, count - config.context_levels), count):
        found |= {f"down{level * config.depth + i}": look(level) for i in range(config.depth)}
        first = (count - 1 - level) * (config.depth + 1)  # on the way up the lowest level comes first
        found |= {f"up{first + i}": look(level) for i in range(config.depth + 1)}
    return found
