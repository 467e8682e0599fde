"""Are the samples new, or copies of training pictures?

For every picture the nearest training picture is sought, d1 away, and the second nearest, d2 away.

copied      share with d1 < d2 / 3: far nearer to one training picture than to any other (the sign of a
            copy used by Yoon et al. 2023 and Gu et al. 2023), or at distance 0
authentic   share that is farther from its nearest training picture than that one is from its own nearest
            neighbour (Alaa et al. 2022): 0 for copies

Real data has near-duplicates of its own, so the same figures of held-out real pictures stand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unfog.evaluate.figure import Figure, share
from unfog.evaluate.pictures import Labels, Pictures, batches, small

RATIO = 1 / 3
CANDIDATES = 6
_CHUNK = 2_048

Floats = NDArray[np.float64]
Chunks = Callable[[], Iterator[NDArray[np.float32]]]
"""Gives the training vectors (N, D), in order, a few at a time, as often as it is called."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The training pictures nearest to each of n pictures.

    Attributes:
        nearest: int64 (n,), index of the nearest training picture.
        distance: (n,) distance to it, d1, in units of the space.
        ratio: (n,) d1 / d2; below 1/3 it counts as a copy, 0 is the very same vector.
        authentic: (n,) whether d1 exceeds the distance of that training picture to its own nearest neighbour.
    """

    nearest: Labels
    distance: Floats
    ratio: Floats
    authentic: NDArray[np.bool_]

    @property
    def copied(self) -> NDArray[np.bool_]:
        """(n,) whether each picture counts as a copy."""
        return self.ratio < RATIO

    def figures(self) -> dict[str, Figure]:
        """The shares ``copied`` and ``authentic`` with intervals."""
        return {"copied": share(self.copied), "authentic": share(self.authentic)}


def chunks_of(vectors: NDArray[np.floating]) -> Chunks:
    """Vectors (N, D) that are in memory, a few at a time."""
    return lambda: (
        vectors[start : start + _CHUNK].astype(np.float32) for start in range(0, len(vectors), _CHUNK)
    )


def chunks_of_pixels(images: Pictures) -> Chunks:
    """Pictures uint8 (N, H, W, C) as vectors of their pixels in -1..1, longest side at most 32 pixels."""
    return lambda: (pixels(part) for part in batches(images, _CHUNK))


def pixels(images: Pictures) -> NDArray[np.float32]:
    """Pictures uint8 (N, H, W, C) made small, float32 (N, D), values -1..1."""
    return np.asarray(small(images).flatten(1).numpy(), np.float32)


def neighbours(queries: NDArray[np.float32], train: Chunks) -> Neighbours:
    """Search all training vectors for the nearest to each of ``queries``.

    Args:
        queries: (n, D).
        train: the training vectors (N, D), N >= 3.
    """
    index, distance = nearest(queries, train, 2)
    met, back = np.unique(index[:, 0], return_inverse=True)
    own = _own_neighbour(met, train)[back]
    first, second = distance.T
    ratio = np.divide(first, second, out=np.zeros_like(first), where=second > 0)
    return Neighbours(index[:, 0], first, ratio, first > own)


def nearest(queries: NDArray[np.float32], train: Chunks, k: int) -> tuple[Labels, Floats]:
    """The k nearest training vectors of each query, nearest first.

    Candidates are found by fast float32 products and their distances computed again exactly, so that the
    distance of a copy is 0 and not the rounding of two large numbers.

    Returns:
        Indices int64 (n, k) and distances (n, k), not squared.
    """
    keep = max(CANDIDATES, k)
    index = np.empty((len(queries), 0), np.int64)
    distance = np.empty((len(queries), 0))
    start = 0
    shift: NDArray[np.float32] | None = None
    for part in train():
        shift = part.mean(0) if shift is None else shift  # smaller numbers, smaller rounding
        found = _candidates(queries - shift, part - shift, min(keep, len(part)))
        exact = np.stack([_exact(queries, part[column]) for column in found.T], 1)
        index = np.concatenate([index, found + start], 1)
        distance = np.concatenate([distance, exact], 1)
        order = np.argsort(distance, 1, kind="stable")[:, :k]
        index, distance = np.take_along_axis(index, order, 1), np.take_along_axis(distance, order, 1)
        start += len(part)
    return index, distance


def _candidates(queries: NDArray[np.float32], part: NDArray[np.float32], keep: int) -> Labels:
    squares = (part * part).sum(1)
    rows = max(1, 4_000_000 // len(part))
    found = [
        np.argpartition(squares - 2 * (some @ part.T), keep - 1, axis=1)[:, :keep]
        for some in np.array_split(queries, -(-len(queries) // rows))
    ]
    return np.concatenate(found)


def _exact(a: NDArray[np.float32], b: NDArray[np.float32]) -> Floats:
    gap = a.astype(np.float64) - b
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", gap, gap)), np.float64)


def _own_neighbour(chosen: Labels, train: Chunks) -> Floats:
    """Distance of each chosen training vector (ascending indices) to its nearest other one."""
    queries, start = [], 0
    for part in train():
        inside = chosen[(chosen >= start) & (chosen < start + len(part))]
        queries.append(part[inside - start])
        start += len(part)
    # of the two nearest one is the vector itself, at 0; with exact duplicates both are, which is right too
    return nearest(np.concatenate(queries), train, 2)[1][:, 1]


def identical(images: Pictures, chosen: Labels, train: Pictures, index: Labels) -> Figure:
    """Share of the chosen pictures that equal their training picture in every pixel, at full size.

    Args:
        images: uint8 (M, H, W, C).
        chosen: int64 (n,), which of them.
        train: uint8 (N, H, W, C).
        index: int64 (n,), the training picture of each chosen one.
    """
    same = [np.array_equal(images[i], train[j]) for i, j in zip(chosen, index, strict=True)]
    return share(np.array(same, np.bool_))
