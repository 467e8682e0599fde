"""Groups of look-alikes inside the data: something to steer by where there are no labels.

Knowing roughly what it is about to draw makes a small network's task much easier, and lets guidance work
without labels. So the pictures are grouped by k-means on a coarse view, within each class if there are
classes; the network is told the group, and sampling draws groups as often as they occur (Adaloglou et al.
2024, arXiv 2403.00570).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VIEW = 14  # side of the coarse view in pixels
FEWEST = 40  # pictures in a group on average: fewer would invite the network to memorise them
FITTED = 20_000  # pictures that k-means looks at


@dataclass(frozen=True)
class Groups:
    """Which group each picture belongs to.

    Attributes:
        of: group numbers, (N,), -1 where a picture's class is unknown.
        classes: the class of each group, -1 without classes.
        shares: share of each group in the training pictures.
    """

    of: NDArray[np.int64]
    classes: tuple[int, ...]
    shares: tuple[float, ...]


def find_groups(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
    train: NDArray[np.int64],
    *,
    classes: int,
    wanted: int,
    seed: int = 0,
) -> Groups:
    """Group pictures.

    Args:
        images: uint8, (N, H, W, C), also memory-mapped.
        labels: class numbers, (N,), -1 for unknown; None without classes.
        train: indices of the training pictures, which alone decide the groups.
        classes: number of classes, 0 for none.
        wanted: groups in all, at most; each class has at least one.
        seed: of k-means.
    """
    known = np.full(len(images), -1) if labels is None or not classes else labels
    each = max(1, wanted // max(1, classes))
    of = np.full(len(images), -1, np.int64)
    owners: list[int] = []
    for kind in range(classes) if classes else (-1,):
        members = np.flatnonzero(known == kind)
        learned = train[known[train] == kind]
        count = max(1, min(each, len(learned) // FEWEST))
        of[members] = len(owners)
        if count > 1:
            of[members] += _nearest(images, members, _centres(images, learned, count, seed))
        owners += [kind] * count
    counts = np.bincount(of[train][of[train] >= 0], minlength=len(owners)).astype(np.float64)
    # a class without training pictures can still be asked for, if only in name
    shares = np.maximum(counts, 1e-9) / max(1.0, counts.sum())
    return Groups(of, tuple(owners), tuple(float(s) for s in shares))


def views(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Small averaged versions of pictures (N, H, W, C), as vectors (N, at most VIEW * VIEW * C)."""
    height, width = images.shape[1:3]
    rows = np.linspace(0, height, min(VIEW, height) + 1).astype(int)[:-1]
    columns = np.linspace(0, width, min(VIEW, width) + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(images.astype(np.float64) / 255, rows, axis=1), columns, axis=2)
    area = np.diff([*rows, height])[:, None] * np.diff([*columns, width])
    return np.asarray(sums / area[None, :, :, None]).reshape(len(images), -1)


def _centres(
    images: NDArray[np.uint8], learned: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.float64]:
    from scipy.cluster.vq import kmeans2

    rng = np.random.default_rng(seed)
    if len(learned) > FITTED:
        learned = np.sort(rng.choice(learned, FITTED, replace=False))
    centres, _ = kmeans2(views(images[learned]), count, iter=30, minit="++", rng=rng)
    result: NDArray[np.float64] = centres
    return result


def _nearest(
    images: NDArray[np.uint8], members: NDArray[np.int64], centres: NDArray[np.float64], chunk: int = 2048
) -> NDArray[np.int64]:
    """The nearest centre of each member; pictures are read a few at a time, as there may be many."""
    squares = (centres**2).sum(1)
    parts = [
        (squares - 2 * views(images[members[i : i + chunk]]) @ centres.T).argmin(1)
        for i in range(0, len(members), chunk)
    ]
    return np.concatenate(parts)
