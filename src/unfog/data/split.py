"""Which pictures are held out: decided by the name, so the same picture stays on its side when others are
added.

Pictures with the same key (all skin tones of one emoji, say) and pictures with the same pixels belong
together: they form one group, and a group falls on one side as a whole. A group is held out when the hash
of its (alphabetically first) key, read as a number in [0, 1), is below the fraction asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def group(keys: Sequence[str], prints: Sequence[bytes]) -> tuple[NDArray[np.uint64], int]:
    """Draw the number that decides each picture's side.

    Args:
        keys: what each picture goes by, N of them.
        prints: digest of each picture's pixels, N of them.

    Returns:
        One uint64 per picture (N,), equal within a group, uniform over groups; and the number of pictures
        that have the same pixels as an earlier one.
    """
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = key = parent[parent[key]]
        return key

    first: dict[bytes, str] = {}
    duplicates = 0
    for key, pixels in zip(keys, prints, strict=True):
        if pixels in first:
            duplicates += 1
            low, high = sorted((root(key), root(first[pixels])))
            parent[high] = low
        else:
            first[pixels] = key
            root(key)
    numbers = {key: _number(key) for key in set(map(root, parent))}
    return np.array([numbers[root(key)] for key in keys], np.uint64), duplicates


def families(keys: Sequence[Sequence[str]]) -> list[str]:
    """What items go by when all that share a key belong together.

    Args:
        keys: the keys of each item, at least one each.

    Returns:
        The alphabetically first key of each item's family.
    """
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = key = parent[parent[key]]
        return key

    for own in keys:
        roots = sorted({root(key) for key in own})
        parent.update(dict.fromkeys(roots, roots[0]))
    return [root(own[0]) for own in keys]


def _number(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def held_out_mask(
    numbers: NDArray[np.uint64], fraction: float, official: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Decide the side of each picture.

    Args:
        numbers: (N,) from ``group``.
        fraction: share to hold out, 0 <= fraction < 1. 0 holds nothing out, not even an official test
            part.
        official: (N,) the source's own test part; it is taken as it is, whatever the fraction.

    Returns:
        (N,) True where held out. With two groups or more (and fraction > 0) both sides have at least one;
        a single picture, or copies of a single picture, are all for training.
    """
    if fraction == 0:
        return np.zeros(len(numbers), np.bool_)
    if official is not None and official.any() and not official.all():
        return official.astype(np.bool_)
    groups = np.unique(numbers)
    mask = numbers < np.uint64(min(int(fraction * 2.0**64), 2**64 - 1))
    if len(groups) < 2:
        return np.zeros(len(numbers), np.bool_)
    if not mask.any():
        mask = numbers == groups[0]
    elif mask.all():
        mask = numbers != groups[-1]
    return np.asarray(mask, np.bool_)
