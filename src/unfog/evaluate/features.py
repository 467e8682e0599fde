"""Feature spaces: what a judge sees when it compares pictures.

None of them is the Inception network behind published "FID" figures: numbers measured here compare models on
the same data with the same judge, and nothing else.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.evaluate.pictures import Pictures, batches, small, subset

Floats = NDArray[np.float64]


class FeatureSpace(Protocol):
    """Turns pictures into vectors whose distances mean something."""

    @property
    def name(self) -> str:
        """Short name, the key in reports."""

    def describe(self) -> str:
        """What this space is, in one honest sentence without a full stop."""

    def features(self, images: Pictures, batch: int = 256) -> Floats:
        """float64 (N, D) for uint8 pictures (N, H, W, C)."""


@dataclass(frozen=True, eq=False)
class Scaled:
    """A space moved and scaled so that the reference has mean 0 and, on average, variance 1 per feature.

    One factor for all features: directions keep their weight, but distances of different spaces and data
    sets get comparable sizes.

    Attributes:
        space: the space that looks at the pictures.
        mean: (D,) mean of the reference features.
        spread: root of their mean variance; 1 when they are all equal.
    """

    space: FeatureSpace
    mean: Floats
    spread: float

    @classmethod
    def to(cls, space: FeatureSpace, reference: Floats) -> Scaled:
        """The space as seen from the features (N, D) of its reference."""
        spread = float(np.sqrt(reference.var(0).mean()))
        return cls(space, reference.mean(0), spread if spread > 0 else 1.0)

    def of(self, features: Floats) -> Floats:
        """Scale features (N, D) that the space gave."""
        return (features - self.mean) / self.spread


class RandomSpace:
    """A fixed network of random weights: it never saw any data, so it favours none.

    Two random convolutions with rectifiers and pooling see strokes, edges and their arrangement (each of 16
    maps is averaged over a 2 x 2 raster: 64 features). Grey pictures are seen as colour pictures without
    colour. The weights come from the raw bits of PCG64, whose stream numpy guarantees, so this judge is the
    same on every machine and in every version.
    """

    name = "random"
    SEED = 20_201_107

    def __init__(self) -> None:
        bits = np.random.PCG64(self.SEED)
        self.first = _weights(bits, 48, 3, 5)
        self.second = _weights(bits, 16, 48, 3)

    def describe(self) -> str:
        """What this space is, in one sentence."""
        return "a fixed random convolution network that never saw any data (64 features)"

    def checksum(self) -> str:
        """sha256 (hex) of the weights."""
        weights = (self.first.numpy().tobytes(), self.second.numpy().tobytes())
        return hashlib.sha256(b"".join(weights)).hexdigest()

    @torch.inference_mode()
    def features(self, images: Pictures, batch: int = 256) -> Floats:
        """float64 (N, 64) for uint8 pictures (N, H, W, C)."""
        parts = [self._look(small(part)) for part in batches(images, batch)]
        return torch.cat(parts).double().numpy() if parts else np.empty((0, 64))

    def _look(self, x: Tensor) -> Tensor:
        x = x.expand(-1, 3, -1, -1)
        scale = math.ceil(16 / min(x.shape[2:]))
        x = F.interpolate(x, scale_factor=scale, mode="nearest") if scale > 1 else x
        x = F.relu(F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), self.first, stride=2))
        x = F.relu(F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), self.second))
        return nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)


def _weights(bits: np.random.PCG64, outputs: int, inputs: int, side: int) -> Tensor:
    """Uniform weights of mean 0 per filter, scaled to keep the size of what passes; float32."""
    count = outputs * inputs * side * side
    uniform = (bits.random_raw(count) >> np.uint64(11)).astype(np.float64) / 2.0**53 - 0.5
    filters = uniform.reshape(outputs, -1)
    # exact in every numpy: a sum of float64 in a fixed order, then rounded to float32
    centred = filters - np.cumsum(filters, 1)[:, -1:] / filters.shape[1]
    scale = math.sqrt(24 / filters.shape[1])
    return torch.from_numpy((centred * scale).astype(np.float32)).view(outputs, inputs, side, side)


class PixelSpace:
    """The strongest directions of raw pixels: principal components of the reference, at most 64.

    Args:
        reference: uint8 (N, H, W, C), N >= 2; at most 5,000 of them are used.
        seed: of that choice and of the start of the iteration.
    """

    name = "pixels"
    MOST, WIDTH, ROUNDS = 5_000, 64, 8

    def __init__(self, reference: Pictures, seed: int = 0) -> None:
        chosen = reference[np.sort(subset(len(reference), self.MOST, seed))]
        flat = np.concatenate([_flat(part) for part in batches(chosen, 1024)])
        self.mean = flat.mean(0)
        flat -= self.mean
        width = min(self.WIDTH, flat.shape[1], len(flat) - 1)
        extra = min(width + 16, *flat.shape)
        # subspace iteration: all 3,072 directions of a 32 x 32 colour picture would take ten times as long
        basis = np.random.default_rng(seed).standard_normal((flat.shape[1], extra)).astype(np.float32)
        for _ in range(self.ROUNDS):
            basis = np.linalg.qr(flat.T @ (flat @ basis))[0]
        _, _, turn = np.linalg.svd(flat @ basis, full_matrices=False)
        self.basis = (basis @ turn.T)[:, :width]

    def describe(self) -> str:
        """What this space is, in one sentence."""
        return f"raw pixels, their {self.basis.shape[1]} strongest directions (principal components)"

    def features(self, images: Pictures, batch: int = 256) -> Floats:
        """float64 (N, D), D <= 64, for uint8 pictures (N, H, W, C)."""
        parts = [(_flat(part) - self.mean) @ self.basis for part in batches(images, batch)]
        return np.concatenate(parts).astype(np.float64) if parts else np.empty((0, self.basis.shape[1]))


def _flat(images: Pictures) -> NDArray[np.float32]:
    return np.asarray(small(images).flatten(1).numpy(), np.float32)
