"""What a pair model is, in plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PairSpec:
    """Everything about a pair model but its weights; plain values only.

    Attributes:
        recipe: "pairs".
        gaze: options of the picture encoder, as ``GazeConfig``.
        prior: options of the network of the prior, as ``VectorNetConfig``, without its sizes.
        text: how it reads captions, see ``Spec.text``; "width" is that of its tokens.
        statistics: of the training pictures, as ``PixelStatistics.to_dict``.
        guidance: of the prior; 1 is off.
        steps: of the prior.
    """

    recipe: str
    gaze: dict[str, Any]
    prior: dict[str, Any]
    text: dict[str, Any]
    statistics: dict[str, Any]
    guidance: float = 2.0
    steps: int = 12
