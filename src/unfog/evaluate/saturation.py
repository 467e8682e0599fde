"""How much of the pictures lies at the very ends of the range: ink that ran out, light that burnt out.

A sampler that overshoots shows it here first: values are cut at black or white, more of them than in the
data.
"""

from __future__ import annotations

import numpy as np

from unfog.evaluate.figure import Figure, average
from unfog.evaluate.pictures import Pictures, batches


def value_range(images: Pictures) -> tuple[int, int]:
    """Smallest and greatest value (0..255) in pictures uint8 (N, H, W, C), N >= 1."""
    ends = [(int(part.min()), int(part.max())) for part in batches(images, 1024)]
    return min(low for low, _ in ends), max(high for _, high in ends)


def saturation(images: Pictures, low: int, high: int) -> dict[str, Figure]:
    """Share of values at or beyond the ends of the range.

    Args:
        images: uint8 (N, H, W, C).
        low: the smallest value in the data.
        high: the greatest.

    Returns:
        ``dark``, share of values <= low, and ``bright``, share of values >= high; means over pictures.
    """
    dark, bright = [np.zeros(0)], [np.zeros(0)]
    for part in batches(images, 1024):
        dark.append((part <= low).mean((1, 2, 3)))
        bright.append((part >= high).mean((1, 2, 3)))
    return {"dark": average(np.concatenate(dark)), "bright": average(np.concatenate(bright))}
