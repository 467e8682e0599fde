"""The autoencoder of latent diffusion: pictures to a small grid of numbers, and back to pictures.

Diffusion then works on the grid, which has far fewer numbers and none of the detail that nobody sees (Rombach
et al. 2022, arXiv 2112.10752). Residual blocks of two convolutions go down level by level, each at half the
side, and up again. What lies in between, the latents, comes in three kinds:

    kl    a mean and a log variance for each number. Training adds noise of that variance, so that latents
          near each other look alike, and pays for every nat by which they differ from a standard normal.
    vq    the decoder sees only the nearest of some learned vectors (``nets/quantise.py``).
    fsq   the decoder sees only a few fixed values of each number.

With ``patch`` 1, attention, ``grow`` "full" and 32 groups it is the KL autoencoder that others have published
weights for, layer by layer. The options that make it quick on a processor: pixels folded into channels at the
door, so that no layer runs at full resolution, and mixing before growing instead of after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.errors import ConfigError
from unfog.nets.layers import attend, zeroed
from unfog.nets.quantise import FiniteQuantiser, Quantiser, VectorQuantiser

KINDS = ("kl", "vq", "fsq")
LEAST, MOST = -30.0, 20.0  # log variances beyond these are cut, as they would overflow


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """Shape of the autoencoder.

    Attributes:
        channels: of the pictures.
        latent: channels of the latents.
        kind: of the latents: "kl", "vq" or "fsq".
        patch: side of the pixel blocks folded into channels at the door, 1 for none.
        widths: channels at each level, finest first; each level halves the side.
        depth: residual blocks at each level on the way down (one more on the way up).
        attention: whether every place looks at every other in the middle.
        grow: "point" mixes channels before the side is doubled, "full" has a whole convolution after it.
        quant, post_quant: a 1 x 1 convolution in front of the latents, and one behind them.
        groups: of the normalisations; 0 for groups of about 16 channels.
        bound: whether what comes out is held between -1 and 1 by a tanh.
        codes: vectors of "vq".
        levels: values that each channel of "fsq" may take; one number for each channel of the latents.
    """

    channels: int = 3
    latent: int = 4
    kind: str = "kl"
    patch: int = 1
    widths: tuple[int, ...] = (64, 128)
    depth: int = 1
    attention: bool = False
    grow: str = "point"
    quant: bool = False
    post_quant: bool = False
    groups: int = 0
    bound: bool = False
    codes: int = 1024
    levels: tuple[int, ...] = (8, 6, 5, 5)

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.grow not in ("point", "full"):
            raise ConfigError(
                f"codec.kind = {self.kind!r}, codec.grow = {self.grow!r}: kinds are {', '.join(KINDS)}; "
                "grow is 'point' or 'full'."
            )
        if not isinstance(self.widths, tuple) or not self.widths or not isinstance(self.levels, tuple):
            raise ConfigError(
                f"codec.widths = {self.widths!r}: give one number for each level, e.g. [32, 64]."
            )
        for name in ("channels", "latent", "patch", "widths", "depth", "codes", "levels"):
            values = getattr(self, name)
            for value in values if isinstance(values, tuple) else (values,):
                if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                    raise ConfigError(f"codec.{name} = {values!r}: give whole numbers above 0.")
        if self.groups and any(width % self.groups for width in self.widths):
            raise ConfigError(
                f"codec.groups = {self.groups}: the widths {self.widths} are no multiples of it."
            )
        if self.kind == "fsq" and (len(self.levels) != self.latent or min(self.levels) < 3):
            raise ConfigError(
                f"codec.levels = {self.levels}: give a number of 3 or more for each of the {self.latent} "
                "channels, e.g. [8, 6, 5, 5]."
            )

    @property
    def factor(self) -> int:
        """Pixels along a side for each latent."""
        return int(self.patch * 2 ** (len(self.widths) - 1))

    @property
    def reach(self) -> int:
        """Latents from whose distance on one latent no longer changes a pixel, without attention."""
        each = 2 * (self.depth + 1)
        finest = 0.5 ** (len(self.widths) - 1)
        blocks = sum((each + 1) * 0.5**level for level in range(len(self.widths)))
        return math.ceil(1 + 4 + blocks + finest)


def _norm(width: int, groups: int) -> nn.GroupNorm:
    if not groups:
        groups = max(1, width // 16)
        while width % groups:
            groups -= 1
    return nn.GroupNorm(groups, width, eps=1e-6)


class Block(nn.Module):
    """Two convolutions with a way past them."""

    def __init__(self, width_in: int, width: int, groups: int) -> None:
        super().__init__()
        self.norm_in, self.norm_out = _norm(width_in, groups), _norm(width, groups)
        self.conv_in = nn.Conv2d(width_in, width, 3, padding=1)
        self.conv_out = zeroed(nn.Conv2d(width, width, 3, padding=1))
        self.skip = nn.Conv2d(width_in, width, 1) if width_in != width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) to (B, C, H, W)."""
        h = self.conv_in(F.silu(self.norm_in(x)))
        out: Tensor = self.skip(x) + self.conv_out(F.silu(self.norm_out(h)))
        return out


class Attention(nn.Module):
    """Every place looks at every other place, through one head."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.norm = _norm(width, groups)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = zeroed(nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W), same shape out."""
        places = self.norm(x).flatten(2).transpose(1, 2)
        mixed = attend(self.query(places), self.key(places), self.value(places), places.shape[2])
        out: Tensor = self.out(mixed)
        return x + out.transpose(1, 2).reshape(x.shape)


class Middle(nn.Module):
    """What happens at the lowest resolution."""

    def __init__(self, width: int, config: AutoencoderConfig) -> None:
        super().__init__()
        self.first, self.second = Block(width, width, config.groups), Block(width, width, config.groups)
        self.attention = Attention(width, config.groups) if config.attention else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W), same shape out."""
        out: Tensor = self.second(self.attention(self.first(x)))
        return out


class Shrink(nn.Conv2d):
    """Half the side, by a convolution that sees one further row below and to the right."""

    def __init__(self, width: int) -> None:
        super().__init__(width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H / 2, W / 2)."""
        half: Tensor = super().forward(F.pad(x, (0, 1, 0, 1)))
        return half


class Grow(nn.Module):
    """Twice the side."""

    def __init__(self, width: int, full: bool) -> None:
        super().__init__()
        self.full = full
        self.mix = nn.Conv2d(width, width, 3, padding=1) if full else nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, 2 H, 2 W)."""
        if self.full:
            wide: Tensor = self.mix(F.interpolate(x, scale_factor=2.0, mode="nearest"))
            return wide
        # mixed while still small: a convolution after growing would be the dearest of all
        return F.interpolate(self.mix(x), scale_factor=2.0, mode="nearest")


class Level(nn.Module):
    """The blocks of one resolution, and the change to the next one, where there is one."""

    def __init__(self, width_in: int, width: int, depth: int, groups: int, turn: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width if i else width_in, width, groups) for i in range(depth))
        self.turn = turn

    def forward(self, x: Tensor) -> Tensor:
        """(B, C_in, H, W) to (B, C, H', W')."""
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.turn(x)
        return out


class Encoder(nn.Module):
    """Down to the latents."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.patch, widths = config.patch, config.widths
        self.stem = nn.Conv2d(config.channels * config.patch**2, widths[0], 3, padding=1)
        self.levels, width = nn.ModuleList(), widths[0]
        for number, wide in enumerate(widths, 1):
            turn = Shrink(wide) if number < len(widths) else nn.Identity()
            self.levels.append(Level(width, wide, config.depth, config.groups, turn))
            width = wide
        self.middle, self.norm = Middle(width, config), _norm(width, config.groups)
        outputs = config.latent * (2 if config.kind == "kl" else 1)
        self.head = nn.Conv2d(width, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures (B, C, H, W) to (B, latent or 2 latent, H / factor, W / factor)."""
        h = self.stem(F.pixel_unshuffle(x, self.patch).contiguous(memory_format=torch.channels_last))
        for level in self.levels:
            h = level(h)
        out: Tensor = self.head(F.silu(self.norm(self.middle(h))))
        return out


class Decoder(nn.Module):
    """Up to the pictures."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.patch, widths = config.patch, config.widths[::-1]
        self.stem = nn.Conv2d(config.latent, widths[0], 3, padding=1)
        self.middle, width = Middle(widths[0], config), widths[0]
        self.levels = nn.ModuleList()
        for number, wide in enumerate(widths, 1):
            turn = Grow(wide, config.grow == "full") if number < len(widths) else nn.Identity()
            self.levels.append(Level(width, wide, config.depth + 1, config.groups, turn))
            width = wide
        self.norm = _norm(width, config.groups)
        self.head = nn.Conv2d(width, config.channels * config.patch**2, 3, padding=1)
        self.bound = config.bound

    def forward(self, z: Tensor) -> Tensor:
        """Latents (B, c, h, w) to pictures (B, C, h factor, w factor)."""
        h = self.middle(self.stem(z.contiguous(memory_format=torch.channels_last)))
        for level in self.levels:
            h = level(h)
        x = F.pixel_shuffle(self.head(F.silu(self.norm(h))), self.patch)
        return x.tanh() if self.bound else x


class Autoencoder(nn.Module):
    """Pictures where black is -1 and white is 1, to latents and back.

    Height and width of a picture must be multiples of ``config.factor``.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.decoder = Encoder(config), Decoder(config)
        both = 2 if config.kind == "kl" else 1
        self.quant = (
            nn.Conv2d(both * config.latent, both * config.latent, 1) if config.quant else nn.Identity()
        )
        self.post_quant = nn.Conv2d(config.latent, config.latent, 1) if config.post_quant else nn.Identity()
        self.quantiser: Quantiser | None = None
        if config.kind == "vq":
            self.quantiser = VectorQuantiser(config.codes, config.latent)
        elif config.kind == "fsq":
            self.quantiser = FiniteQuantiser(config.levels)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Pictures (B, C, H, W) to latents (B, c, h, w) and, for "kl", the log of their variance."""
        found = self.quant(self.encoder(x))
        if self.quantiser is not None:
            return self.quantiser.prepare(found), None
        if self.config.kind != "kl":
            return found, None
        mean, log_variance = found.chunk(2, 1)
        return mean, log_variance.clamp(LEAST, MOST)

    def encode(self, x: Tensor) -> Tensor:
        """Pictures (B, C, H, W) to latents (B, c, h, w): the mean, or what is not yet quantised."""
        return self.moments(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        """Latents (B, c, h, w) to pictures (B, C, H, W); "vq" and "fsq" take the nearest code first."""
        if self.quantiser is not None:
            z = self.quantiser(z)
        pictures: Tensor = self.decoder(self.post_quant(z))
        return pictures


@dataclass(frozen=True, kw_only=True)
class TinyDecoderConfig:
    """Shape of the small decoder.

    Attributes:
        channels: of the pictures.
        latent: channels of the latents.
        factor: pixels along a side for each latent.
        width: channels inside.
        depth: pairs of convolutions.
    """

    channels: int = 3
    latent: int = 4
    factor: int = 4
    width: int = 32
    depth: int = 2


class TinyDecoder(nn.Module):
    """A decoder that costs next to nothing, for previews; it learns to say what the large one says.

    After TAESD (Bohan 2023): plain convolutions and rectifiers, no normalisation. All of them run at the
    resolution of the latents, and the pixels of a latent come out as channels.
    """

    def __init__(self, config: TinyDecoderConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        self.stem = nn.Conv2d(config.latent, width, 3, padding=1)
        self.body = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1),
                nn.ReLU(),
                zeroed(nn.Conv2d(width, width, 3, padding=1)),
            )
            for _ in range(config.depth)
        )
        self.head = nn.Conv2d(width, config.channels * config.factor**2, 3, padding=1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs

    def forward(self, z: Tensor) -> Tensor:
        """Latents (B, c, h, w) to pictures (B, C, h factor, w factor), black -1 and white 1."""
        # latents far out of the ordinary, as of pure noise, must not blow up
        h = self.stem(3 * torch.tanh(z / 3).contiguous(memory_format=torch.channels_last))
        for pair in self.body:
            h = h + pair(h)
        return F.pixel_shuffle(self.head(F.relu(h)), self.config.factor)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """How many nats a number of the latents differs from a standard normal one, on average, (B,)."""
    nats = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
    return nats.flatten(1).mean(1)
