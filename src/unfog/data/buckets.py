"""Aspect buckets: pictures that keep their shape, each cut to the nearest of a few, all of about one area.

A square cut out of a wide picture loses what its caption may speak of: the dog left of the fox is no longer
there. So each picture is also kept at the shape out of a few that is nearest to its own (as NovelAI did for
Stable Diffusion, 2022), and a batch is made of pictures of one shape. The network need not know: it sees
places and their distances. Whatever measures pictures goes on with the squares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, int]
"""Height and width in pixels."""

GRAIN = 8  # sides are multiples of it, as networks halve pictures
LEAST = 0.85  # of the square's area
WIDEST = 2.0  # a side is at most this much longer than the other


def shapes_for(size: int) -> tuple[Shape, ...]:
    """The shapes of at most size x size pixels, the highest first; the square is one of them.

    Args:
        size: side of the square in pixels.
    """
    grain = GRAIN if size >= 3 * GRAIN else max(1, size // 4)
    high: dict[int, int] = {}
    for height in range(size // grain * grain + grain, int(size * WIDEST), grain):
        width = size * size // height // grain * grain
        if width < size and height <= WIDEST * width and height * width >= LEAST * size * size:
            high[width] = height  # of two of one width the higher one holds the other
    sides = [(height, width) for width, height in high.items()]
    return tuple(sorted([*sides, (size, size), *((w, h) for h, w in sides)], reverse=True))


def nearest_shape(height: float, width: float, shapes: Sequence[Shape]) -> int:
    """The number of the shape whose ratio of sides is nearest; of which the least must be cut away."""
    return min(range(len(shapes)), key=lambda i: abs(math.log(shapes[i][0] * width / shapes[i][1] / height)))


@dataclass(frozen=True, eq=False)
class Buckets:
    """All pictures, or their latents, at the shapes they have.

    Attributes:
        rows: (N, longest), read-only, on disk: a picture, uint8 (H, W, C), or its latents, and zeros behind.
        which: int64 (N,), the number of each picture's shape.
        shapes: of all buckets.
        channels: C.
    """

    rows: NDArray[Any]
    which: NDArray[np.int64]
    shapes: tuple[Shape, ...]
    channels: int

    def __len__(self) -> int:
        return len(self.rows)

    def pictures(self, chosen: NDArray[np.int64]) -> NDArray[Any]:
        """Pictures of one shape, by number, (n, H, W, C)."""
        height, width = self.shapes[int(self.which[chosen[0]])]
        flat = self.rows[chosen][:, : height * width * self.channels]
        return flat.reshape(len(chosen), height, width, self.channels)

    def counts(self) -> dict[str, int]:
        """Pictures of each shape that occurs, as "of width x height"."""
        number = np.bincount(self.which, minlength=len(self.shapes))
        return {
            f"of {width} x {height}": int(count)
            for (height, width), count in zip(self.shapes, number, strict=True)
            if count
        }
