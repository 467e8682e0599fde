"""Latents: pictures made small by an autoencoder, and normalised to mean 0 and standard deviation 1.

The autoencoder gives latents of any size, other ones for each channel; noise schedules and preconditioning
assume unit variance. So latents are measured like pixels are, and what was measured stays with the model.
Of an autoencoder that learned a variance, the mean is taken: its noise was there to make latents smooth,
and diffusion adds noise of its own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from unfog.codec.base import PictureCodec
from unfog.codec.measure import farthest, some, widest
from unfog.codec.pixels import PixelStatistics
from unfog.codec.tiles import in_tiles
from unfog.errors import DataError
from unfog.nets.autoencoder import Autoencoder, AutoencoderConfig, TinyDecoder, TinyDecoderConfig

AT_ONCE = 64 * 64 * 64  # pixels that are encoded or decoded together, which bounds memory
LARGE = 1024 * 1024  # pixels of a picture above which it goes through in tiles
TILE = 512  # pixels along the side of a tile, without its rim
MEASURED = 1024  # examples from which spread and diameter are found


@dataclass(frozen=True)
class LatentStatistics:
    """What the latents of a set of pictures look like.

    Attributes:
        shape: (c, h, w).
        count: pictures measured; 0 where nobody has measured any.
        mean, std: per channel, of the latents as they are.
        low, high: smallest and largest value per channel, of x, which is normalised.
        spread: standard deviation of x along the direction in which pictures differ most.
        diameter: largest distance between two pictures in x.
    """

    shape: tuple[int, int, int]
    count: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    spread: float = 8.0
    diameter: float = 0.0

    @property
    def extent(self) -> tuple[float, float]:
        """Spread and diameter."""
        return self.spread, self.diameter

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def of_nothing(cls, shape: tuple[int, int, int], mean: float = 0.0, std: float = 1.0) -> LatentStatistics:
        """What can be said before anything was measured."""
        channels = shape[0]
        ends = (-1e4,) * channels, (1e4,) * channels
        return cls(shape, 0, (mean,) * channels, (std,) * channels, *ends)


def measure_latents(
    latents: np.ndarray, indices: np.ndarray | None = None, chunk: int = 1024
) -> LatentStatistics:
    """Measure latents in one pass that never holds more than ``chunk`` of them.

    Args:
        latents: of any kind of float, (N, h, w, c), also memory-mapped.
        indices: which of them to measure; all when left out.
        chunk: examples read at a time.

    Raises:
        DataError: there are none, or some are not finite.
    """
    places = np.arange(len(latents)) if indices is None else indices
    if not len(places):
        raise DataError("There is no picture to measure. Give a folder that holds at least one.")
    total, squares = (np.zeros(latents.shape[3]) for _ in range(2))
    low, high = np.full(latents.shape[3], np.inf), np.full(latents.shape[3], -np.inf)
    for start in range(0, len(places), chunk):
        part = np.asarray(latents[places[start : start + chunk]], np.float64).reshape(-1, latents.shape[3])
        total, squares = total + part.sum(0), squares + (part**2).sum(0)
        low, high = np.minimum(low, part.min(0)), np.maximum(high, part.max(0))
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise DataError("Some latents are not finite numbers: the codec is broken. Train it again.")
    count = len(places) * latents.shape[1] * latents.shape[2]
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
    std = np.maximum(std, 1e-4)  # a channel that says nothing stays finite
    few = np.asarray(latents[some(places, MEASURED)], np.float64)
    x = ((few - mean) / std).reshape(len(few), -1)
    return LatentStatistics(
        shape=(int(latents.shape[3]), int(latents.shape[1]), int(latents.shape[2])),
        count=len(places),
        mean=tuple(map(float, mean)),
        std=tuple(map(float, std)),
        low=tuple(map(float, (low - mean) / std)),
        high=tuple(map(float, (high - mean) / std)),
        spread=max(1.0, widest(x)),
        diameter=farthest(x),
    )


class LatentCodec(PictureCodec):
    """8-bit pictures <-> normalised latents.

    Args:
        statistics: of the pictures.
        latents: of their latents.
        autoencoder: its shape.
        tiny: shape of the small decoder; None without.
    """

    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor

    def __init__(
        self,
        statistics: PixelStatistics,
        latents: LatentStatistics,
        autoencoder: AutoencoderConfig,
        tiny: TinyDecoderConfig | None = None,
    ) -> None:
        super().__init__()
        self.statistics, self.latents = statistics, latents
        self.autoencoder = Autoencoder(autoencoder)
        self.tiny = None if tiny is None else TinyDecoder(tiny)
        for name in ("mean", "std", "low", "high"):
            self.register_buffer(name, torch.empty(latents.shape[0], 1, 1), persistent=False)
        self.remeasure(statistics, latents)

    def remeasure(self, statistics: PixelStatistics, latents: LatentStatistics) -> None:
        """Take other statistics of pictures and latents; the autoencoder stays."""
        self.statistics, self.latents = statistics, latents
        for name in ("mean", "std", "low", "high"):
            buffer: Tensor = getattr(self, name)
            buffer.copy_(torch.tensor(getattr(latents, name), dtype=torch.float32)[:, None, None])

    def copy(self) -> LatentCodec:
        """The same once more, with weights of its own, frozen."""
        tiny = None if self.tiny is None else self.tiny.config
        codec = LatentCodec(self.statistics, self.latents, self.autoencoder.config, tiny)
        codec.load_state_dict(self.state_dict())
        return codec.requires_grad_(False).eval().to(self.mean.device)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a picture."""
        return self.statistics.shape

    @property
    def latent(self) -> tuple[int, int, int]:
        """(c, h, w) of x."""
        return self.latents.shape

    @property
    def spread(self) -> float:
        """See ``LatentStatistics.spread``."""
        return self.latents.spread

    @property
    def factor(self) -> int:
        """Pixels along a side for each latent."""
        return self.autoencoder.config.factor

    def compress(self, raw: Tensor) -> Tensor:
        """uint8 pictures (B, C, H, W) to latents as they are, float32 (B, c, h, w).

        Sides may be any multiples of ``factor``. Half precision is enough to keep them in.

        Raises:
            DataError: a side is no multiple of it.
        """
        if raw.shape[2] % self.factor or raw.shape[3] % self.factor:
            raise DataError(
                f"Pictures of {raw.shape[3]} x {raw.shape[2]} pixels do not fit a codec that folds "
                f"{self.factor} x {self.factor} into one: give sides that are multiples of {self.factor}."
            )
        found = []
        with torch.no_grad():
            for part in torch.split(raw, self._at_once(raw.shape[2] * raw.shape[3])):
                x = part.to(self.mean.device, torch.float32) / 127.5 - 1
                if raw.shape[2] * raw.shape[3] > LARGE:
                    found.append(self.encode_in_tiles(x, TILE))
                else:
                    found.append(self.autoencoder.encode(x))
        return torch.cat(found)

    def normalise(self, kept: Tensor) -> Tensor:
        """Latents (B, c, h, w) of any float, to x, float32."""
        return (kept.to(self.mean.device, torch.float32) - self.mean) / self.std

    def to_unit(self, z: Tensor) -> Tensor:
        """x to pictures where black is 0 and white is 1, not clipped; a gradient passes."""
        pixels = z.shape[2] * z.shape[3] * self.factor**2
        kept = z * self.std + self.mean
        parts = torch.split(kept, self._at_once(pixels))
        if pixels > LARGE and not z.requires_grad:
            return torch.cat([self.decode_in_tiles(part, TILE // self.factor) for part in parts]) / 2 + 0.5
        return torch.cat([self.autoencoder.decode(part) for part in parts]) / 2 + 0.5

    def glance(self, z: Tensor) -> Tensor:
        """See ``PictureCodec.glance``: by the small decoder, where there is one."""
        if self.tiny is None:
            return self.decode(z)
        unit: Tensor = self.tiny(z * self.std + self.mean) / 2 + 0.5
        return unit.clamp(0, 1).mul(255).round().to(torch.uint8)

    def limits(self) -> tuple[Tensor, Tensor]:
        """Smallest and largest value that was measured, each (c, 1, 1): the range for thresholding."""
        return self.low, self.high

    def encode_in_tiles(self, x: Tensor, tile: int, overlap: int | None = None) -> Tensor:
        """Pictures (B, C, H, W), black -1 and white 1, to latents as they are, with bounded memory.

        Args:
            x: sides are multiples of ``factor``.
            tile: pixels along the side of a tile, without its rim; a multiple of ``factor``.
            overlap: pixels that neighbours see of each other; as many as matter when left out.
        """
        rim = self._rim * self.factor if overlap is None else overlap
        return in_tiles(self.autoencoder, "encode", x, tile, rim, 1 / self.factor)

    def decode_in_tiles(self, z: Tensor, tile: int, overlap: int | None = None) -> Tensor:
        """Latents as they are (B, c, h, w) to pictures, black -1 and white 1, with bounded memory.

        Args:
            z: latents.
            tile: latents along the side of a tile, without its rim.
            overlap: latents that neighbours see of each other; as many as matter when left out.
        """
        rim = self._rim if overlap is None else overlap
        return in_tiles(self.autoencoder, "decode", z, tile, rim, self.factor)

    @property
    def _rim(self) -> int:
        return self.autoencoder.config.reach + 2  # two more, over which neighbours are blended

    def _at_once(self, pixels: int) -> int:
        return max(1, AT_ONCE // pixels)
