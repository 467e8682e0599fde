"""The two-way translation between what people have and what diffusion works on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn


class Codec(nn.Module, ABC):
    """Raw data <-> tensors: of mean 0 and standard deviation 1, or whole numbers (tokens)."""

    @abstractmethod
    def encode(self, raw: Any) -> Tensor:
        """Raw data to x, (B, *S)."""

    @abstractmethod
    def decode(self, z: Tensor) -> Any:
        """x back to raw data."""
