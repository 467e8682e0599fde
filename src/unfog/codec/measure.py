"""How far apart examples are: what noise must hide, and where it decides what is drawn."""

from __future__ import annotations

import numpy as np


def widest(x: np.ndarray) -> float:
    """The standard deviation of examples (N, D) along the direction in which they differ most."""
    x = x - x.mean(0)
    largest = np.linalg.eigvalsh(x @ x.T / max(1, len(x) - 1))[-1]
    return float(np.sqrt(max(0.0, largest)))


def farthest(x: np.ndarray) -> float:
    """The largest distance between two examples, (N, D)."""
    lengths = np.einsum("ij,ij->i", x, x)
    squared = lengths[:, None] + lengths[None] - 2 * x @ x.T
    np.fill_diagonal(squared, 0.0)  # which rounding does not always leave it
    return float(np.sqrt(max(0.0, float(squared.max()))))


def some(indices: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the indices, evenly spaced."""
    return indices[:: max(1, -(-len(indices) // most))]
