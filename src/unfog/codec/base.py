"""The two-way translation between what people have and what diffusion works on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from unfog.codec.pixels import PixelStatistics


class Codec(nn.Module, ABC):
    """Raw data <-> tensors: of mean 0 and standard deviation 1, or whole numbers (tokens)."""

    @abstractmethod
    def encode(self, raw: Any) -> Tensor:
        """Raw data to x, (B, *S)."""

    @abstractmethod
    def decode(self, z: Tensor) -> Any:
        """x back to raw data."""


class PictureCodec(Codec):
    """8-bit pictures <-> x, (B, c, h, w), of mean 0 and standard deviation 1 per channel.

    Encoding has two halves: a dear one, whose result may be kept on disk, and a cheap one for every step.

    Attributes:
        shape: (C, H, W) of a picture.
        latent: (c, h, w) of x; for pixels the same.
        spread: standard deviation of x along the direction in which pictures differ most.
        statistics: of the pictures.
    """

    statistics: PixelStatistics

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a picture."""

    @property
    @abstractmethod
    def latent(self) -> tuple[int, int, int]:
        """(c, h, w) of x."""

    @property
    @abstractmethod
    def spread(self) -> float:
        """Standard deviation of x along the direction in which pictures differ most."""

    @abstractmethod
    def compress(self, raw: Tensor) -> Tensor:
        """The dear half: uint8 pictures (B, C, H, W) to what may be kept of them, (B, c, h, w)."""

    @abstractmethod
    def normalise(self, kept: Tensor) -> Tensor:
        """The cheap half: what ``compress`` gave, to x, float32."""

    def encode(self, raw: Tensor) -> Tensor:
        """uint8 pictures (B, C, H, W) to x, (B, c, h, w), float32."""
        return self.normalise(self.compress(raw))

    def decode(self, z: Tensor) -> Tensor:
        """x to uint8 pictures (B, C, H, W); what lies beyond black or white is clipped."""
        return self.to_unit(z).clamp(0, 1).mul(255).round().to(torch.uint8)

    def glance(self, z: Tensor) -> Tensor:
        """A quick look at x: uint8 pictures (B, C, H, W), as ``decode`` gives or a little coarser."""
        return self.decode(z)

    @abstractmethod
    def to_unit(self, z: Tensor) -> Tensor:
        """x to pictures (B, C, H, W) where black is 0 and white is 1, not clipped; a gradient passes."""

    @abstractmethod
    def limits(self) -> tuple[Tensor, Tensor]:
        """Below and above which x does not go, each (c, 1, 1): the range for thresholding."""
