"""Pictures on their way into a judge: checked, made small, and turned into tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from unfog.errors import DataError

Pictures = NDArray[np.uint8]
Labels = NDArray[np.int64]

SIDE = 32
"""The longest side, in pixels, at which pictures are judged; larger ones are averaged down to it."""


def check_pictures(images: Pictures, name: str) -> None:
    """Make sure that ``images`` is uint8 (N, H, W, C) with C 1 or 3.

    Raises:
        DataError: it is not.
    """
    shape: tuple[int, ...] = getattr(images, "shape", ())
    if len(shape) != 4 or shape[3] not in (1, 3) or 0 in shape[1:] or images.dtype != np.uint8:
        kind = getattr(images, "dtype", type(images).__name__)
        raise DataError(
            f"The {name} cannot be evaluated: they are {kind} of shape {tuple(shape)}.\n"
            "Give uint8 pictures of shape (N, H, W, C), where C is 1 or 3."
        )


def batches(images: Pictures, batch: int) -> Iterator[Pictures]:
    """``images`` (N, ...) in order, at most ``batch`` at a time; only one batch of a memory map is read."""
    for start in range(0, len(images), batch):
        yield images[start : start + batch]


def small(images: Pictures, side: int = SIDE) -> Tensor:
    """Pictures averaged down until their longest side is at most ``side``.

    Args:
        images: uint8 (N, H, W, C).
        side: in pixels; smaller pictures stay as they are.

    Returns:
        float32 (N, C, h, w), values -1 (black) to 1 (white).
    """
    x = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return smaller(x, side)


def smaller(x: Tensor, side: int = SIDE) -> Tensor:
    """``small`` for pictures that are a tensor already, (N, C, H, W); gradients pass."""
    height, width = x.shape[2:]
    scale = side / max(height, width)
    if scale >= 1:
        return x
    return F.interpolate(x, (max(1, round(height * scale)), max(1, round(width * scale))), mode="area")


def shrink(
    images: Pictures, side: int = SIDE, progress: Callable[[int, int], None] | None = None
) -> Pictures:
    """``small`` for a whole set, kept as uint8 so that it fits into memory.

    Args:
        images: uint8 (N, H, W, C), possibly a memory map; at most 256 are read at a time.
        side: longest side of the result in pixels; sets that are small enough are returned as they are.
        progress: called with (done, total) pictures.

    Returns:
        uint8 (N, h, w, C).
    """
    if max(images.shape[1:3]) <= side:
        return images
    parts = []
    for index, part in enumerate(batches(images, 256)):
        parts.append(((small(part, side) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy())
        if progress:
            progress(min(len(images), 256 * (index + 1)), len(images))
    return np.concatenate(parts) if parts else _nothing(images, side)


def _nothing(images: Pictures, side: int) -> Pictures:
    """What ``shrink`` gives for no pictures at all: the right shape."""
    height, width = small(np.zeros((1, *images.shape[1:]), np.uint8), side).shape[2:]
    return np.zeros((0, height, width, images.shape[3]), np.uint8)


def subset(count: int, most: int, seed: int) -> NDArray[np.int64]:
    """At most ``most`` of the indices 0..count-1, drawn at random without repetition."""
    return np.random.default_rng(seed).permutation(count)[:most]
