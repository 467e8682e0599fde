"""What a learned codec is, in plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CodecSpec:
    """Everything about a learned codec but its weights; plain values only.

    Attributes:
        recipe: "codec".
        autoencoder: options of the autoencoder, as ``AutoencoderConfig``.
        statistics: of the training pictures, as ``PixelStatistics.to_dict``.
        latents: of their latents, as ``LatentStatistics.to_dict``; empty until they are measured.
        tiny: options of the small decoder, as ``TinyDecoderConfig``; empty without one.
        size: side of the pictures it learned from; 0 where it is for any.
    """

    recipe: str
    autoencoder: dict[str, Any]
    statistics: dict[str, Any]
    latents: dict[str, Any] = field(default_factory=dict)
    tiny: dict[str, Any] = field(default_factory=dict)
    size: int = 0
