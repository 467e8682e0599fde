"""Many pictures on one sheet: tidy rows, small gaps, tiny pictures enlarged without blur."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unfog.errors import OutputError
from unfog.output.provenance import Picture, to_image

GAP = 2  # pixels of the sheet, before enlarging
PAPER = 255


def contact_sheet(
    images: Picture,
    *,
    labels: Sequence[int] | NDArray[np.int64] | None = None,
    columns: int | None = None,
    max_width: int = 1600,
    tile: int = 112,
    max_rows: int = 64,
    clear: bool = False,
) -> Picture:
    """Lay pictures out on a white sheet.

    Args:
        images: uint8 (N, H, W, C), C 1 or 3.
        labels: class of each picture; then each class gets a row, in order of the class numbers, and a class
            with fewer pictures than the others leaves its row short. Negative labels (unlabelled) come in the
            last row.
        columns: places in a row, whether filled or not; if not given, the sheet is about square, or as wide
            as the largest class.
        max_width: the sheet is never wider, in pixels: it takes fewer columns, then shrinks the pictures.
        tile: pictures are enlarged by a whole number, while they stay at most this wide and high.
        max_rows: further rows are left out.
        clear: whether the sheet itself is transparent and has no margin, for pages of any colour; adds a
            channel of opacity.

    Returns:
        uint8 (height, width, C), or C + 1 if ``clear``.

    Raises:
        OutputError: no pictures, or not uint8 (N, H, W, C).
    """
    images = _checked(images)
    rows = _rows(images, labels, columns, max_width)[:max_rows]
    room = max(1, (max_width - GAP) // (images.shape[2] + GAP))
    width = min(columns, room) if columns else max(len(row) for row in rows)
    scale = _scale(images.shape[1], images.shape[2], width, max_width, tile)
    high, wide = round(images.shape[1] * scale) or 1, round(images.shape[2] * scale) or 1
    gap = GAP * max(1, round(scale)) if scale < 4 else 3 * GAP
    if gap + width * (wide + gap) > max_width:
        gap = GAP
    edge = 0 if clear else gap
    size = (2 * edge - gap + len(rows) * (high + gap), 2 * edge - gap + width * (wide + gap))
    sheet = np.full((*size, images.shape[3] + clear), PAPER, dtype=np.uint8)
    if clear:
        sheet[..., -1] = 0
    for r, row in enumerate(rows):
        for c, number in enumerate(row):
            top, left = edge + r * (high + gap), edge + c * (wide + gap)
            place = sheet[top : top + high, left : left + wide]
            place[..., : images.shape[3]] = resized(images[number], high, wide)
            if clear:
                place[..., -1] = 255
    return sheet


def resized(picture: Picture, high: int, wide: int) -> Picture:
    """A picture (H, W, C) at another size: nearest neighbour when growing, area average when shrinking."""
    if picture.shape[:2] == (high, wide):
        return picture
    grows = high >= picture.shape[0]
    method = Image.Resampling.NEAREST if grows else Image.Resampling.BOX
    result = np.asarray(to_image(picture).resize((wide, high), method))
    return result.reshape(high, wide, picture.shape[2])


def thumbnail(picture: Picture, longest: int) -> Picture:
    """A picture (H, W, C) shrunk so that neither side is longer than ``longest``; never enlarged."""
    scale = longest / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return resized(picture, max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale)))


def preview(images: Picture, limit: int = 16) -> Picture:
    """A small square sheet of the first ``limit`` pictures, for a model's `preview.png`; uint8 (H, W, C)."""
    return contact_sheet(images[:limit], max_width=640, tile=128)


def _checked(images: Picture) -> Picture:
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
        raise OutputError(
            f"A sheet needs pictures as uint8 (N, H, W, C) with C 1 or 3, not {images.dtype} {images.shape}."
        )
    return images


def _rows(
    images: Picture, labels: Sequence[int] | NDArray[np.int64] | None, columns: int | None, max_width: int
) -> list[list[int]]:
    """The numbers of the pictures in each row."""
    count, width = len(images), images.shape[2]
    most = max(1, (max_width - GAP) // (width + GAP))  # pictures of their own size that fit beside each other
    if labels is None:
        wanted = columns or math.ceil(math.sqrt(count * images.shape[1] / width))
        across = max(1, min(wanted, most, count))
        return [list(range(first, min(first + across, count))) for first in range(0, count, across)]
    if len(labels) != count:
        raise OutputError(f"A sheet of {count} pictures needs {count} labels, not {len(labels)}.")
    found = np.asarray(labels)
    order = sorted(set(found.tolist()), key=lambda label: (label < 0, label))
    across = max(1, min(columns or count, most))
    return [np.flatnonzero(found == label)[:across].tolist() for label in order]


def _scale(height: int, width: int, columns: int, max_width: int, tile: int) -> float:
    """A whole number if the pictures fit, else the fraction by which they must shrink."""
    room = (max_width - GAP * (columns + 1)) / columns
    if room < width:
        return max(room / width, 1 / max(height, width))
    return float(max(1, min(int(room // width), tile // max(height, width))))
