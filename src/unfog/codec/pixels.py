"""Pixels as they are: measured, normalised to mean 0 and standard deviation 1, and put back.

The noise schedule and the preconditioning both assume data of unit variance. Digits on black have mean 0.13
and standard deviation 0.31; treating them as if they filled [-1, 1] wastes a good part of the noise levels.
So the codec measures the data, remembers what it saw in the model file, and says when pixels sit at the ends
of the range.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from unfog.codec.base import PictureCodec
from unfog.codec.measure import farthest, some, widest
from unfog.errors import DataError


@dataclass(frozen=True)
class PixelStatistics:
    """What a set of 8-bit pictures looks like, in units where black is 0 and white is 1.

    Attributes:
        shape: (C, H, W).
        count: pictures measured.
        mean, std: per channel.
        low, high: smallest and largest value of any pixel.
        at_black, at_white: share of values exactly at 0 and at 1.
        spread: standard deviation of the normalised pictures along the direction in which they differ most.
            Noise must be well above it to hide everything, and near it what matters most is decided.
        diameter: largest distance between two normalised pictures; 0 in models that did not measure it. A
            ladder of noise for scores begins there (Song & Ermon 2020, arXiv 2006.09011, section 3).
    """

    shape: tuple[int, int, int]
    count: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    low: float
    high: float
    at_black: float
    at_white: float
    spread: float = 8.0
    diameter: float = 0.0

    @property
    def extent(self) -> tuple[float, float]:
        """Spread and diameter."""
        return self.spread, self.diameter

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def measure_pixels(
    images: np.ndarray, indices: np.ndarray | None = None, chunk: int = 4096
) -> PixelStatistics:
    """Measure pictures in one pass that never holds more than ``chunk`` of them.

    Args:
        images: uint8, (N, H, W, C), also memory-mapped.
        indices: which of them to measure; all when left out.
        chunk: pictures read at a time.

    Raises:
        DataError: if there is no picture.
    """
    count = len(images) if indices is None else len(indices)
    if count == 0:
        raise DataError("There is no picture to measure. Give a folder that holds at least one.")
    channels = images.shape[-1]
    # 256 counters per channel hold every moment exactly
    histogram = np.zeros((channels, 256), dtype=np.int64)
    for start in range(0, count, chunk):
        cut = slice(start, start + chunk)
        part = np.asarray(images[cut if indices is None else indices[cut]])
        for c in range(channels):
            histogram[c] += np.bincount(part[..., c].ravel(), minlength=256)
    values = np.arange(256) / 255
    share = histogram / histogram.sum(axis=1, keepdims=True)
    mean = share @ values
    std = np.sqrt((share * (values - mean[:, None]) ** 2).sum(axis=1))
    present = np.flatnonzero(histogram.sum(axis=0))
    everything = histogram.sum()
    return PixelStatistics(
        shape=(channels, int(images.shape[1]), int(images.shape[2])),
        count=count,
        mean=tuple(map(float, mean)),
        std=tuple(map(float, std)),
        low=float(values[present[0]]),
        high=float(values[present[-1]]),
        at_black=float(histogram[:, 0].sum() / everything),
        at_white=float(histogram[:, 255].sum() / everything),
        spread=_spread(images, indices, mean, np.maximum(std, 0.5 / 255)),
        diameter=_diameter(images, indices, np.maximum(std, 0.5 / 255)),
    )


def _diameter(
    images: np.ndarray, indices: np.ndarray | None, std: np.ndarray, most: int = 1024, values: int = 2**25
) -> float:
    """The largest distance between two of some pictures, in units of x."""
    places = np.arange(len(images)) if indices is None else indices
    count = max(2, min(most, values // int(np.prod(images.shape[1:]))))
    few = np.asarray(images[some(places, count)], np.float32)
    return farthest((few / (255 * std).astype(np.float32)).reshape(len(few), -1))


def _spread(
    images: np.ndarray, indices: np.ndarray | None, mean: np.ndarray, std: np.ndarray, most: int = 1024
) -> float:
    """Square root of the largest eigenvalue of the covariance of x, from a coarse view of some pictures."""
    places = np.arange(len(images)) if indices is None else indices
    few = np.asarray(images[some(places, most)])
    # what differs most between pictures is never fine detail: averaging blocks loses nothing but a factor
    block = min(max(1, max(few.shape[1:3]) // 32), *few.shape[1:3])
    height, width = (side // block * block for side in few.shape[1:3])
    x = (few[:, :height, :width] / 255 - mean) / std
    x = x.reshape(len(x), height // block, block, width // block, block, -1).mean((2, 4)).reshape(len(x), -1)
    return float(max(1.0, block * widest(x)))


class PixelCodec(PictureCodec):
    """8-bit pictures <-> x with mean 0 and standard deviation 1 per channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, statistics: PixelStatistics) -> None:
        super().__init__()
        self.statistics = statistics
        mean = torch.tensor(statistics.mean, dtype=torch.float32)[:, None, None]
        # a constant channel has std 0; half a grey level keeps it finite and hides nothing
        std = torch.tensor(statistics.std, dtype=torch.float32).clamp_min(0.5 / 255)[:, None, None]
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a picture."""
        return self.statistics.shape

    @property
    def latent(self) -> tuple[int, int, int]:
        """(C, H, W), as x is the picture itself."""
        return self.statistics.shape

    @property
    def spread(self) -> float:
        """See ``PixelStatistics.spread``."""
        return self.statistics.spread

    def compress(self, raw: Tensor) -> Tensor:
        """Pictures as they are: nothing about pixels is dear."""
        return raw

    def normalise(self, kept: Tensor) -> Tensor:
        """uint8 pictures (B, C, H, W) to x, float32, same shape, mean 0 and std 1 over the data."""
        return (kept.to(self.mean.device, torch.float32) / 255 - self.mean) / self.std

    def to_unit(self, z: Tensor) -> Tensor:
        """x to values where black is 0 and white is 1, not clipped."""
        return z * self.std + self.mean

    def limits(self) -> tuple[Tensor, Tensor]:
        """Where black and white lie in x, each (C, 1, 1): the range for thresholding."""
        return -self.mean / self.std, (1 - self.mean) / self.std

    def overshoot(self, z: Tensor) -> float:
        """Share of values that lie more than two grey levels beyond black or white."""
        unit = self.to_unit(z)
        return float(((unit < -2 / 255) | (unit > 1 + 2 / 255)).float().mean())


def saturation_warnings(statistics: PixelStatistics) -> list[str]:
    """What a careful photographer would say about the data's exposure; empty when nothing is odd."""
    notes = []
    if max(statistics.std) < 2 / 255:
        notes.append(
            "The pictures hardly differ from one flat colour (standard deviation below two grey levels): "
            "there is little to learn. Check that the right folder was given."
        )
    if statistics.shape[0] == 3 and statistics.at_black + statistics.at_white > 0.6:
        notes.append(
            f"{statistics.at_black:.0%} of all values are pure black and {statistics.at_white:.0%} "
            "pure white: large flat grounds. That is fine for drawings and icons; "
            "photographs like this were overexposed."
        )
    if statistics.high < 0.5:
        notes.append(
            f"The brightest value is {statistics.high:.2f} of white. If the pictures were 16-bit or scaled "
            "by hand, they may have lost their upper range on the way."
        )
    return notes
