"""The way from noise to picture, as an animation.

Animated WebP is the default: every current browser shows it, it is the smallest of the three, and its XMP
chunk is where the IPTC and GB 45438 marks of a WebP belong. A path that ends in `.png`, `.apng` or `.gif`
gives those formats, marked alike. Noise does not compress, so moving frames are coarsened (16 levels of grey,
or lossy coding for larger colour pictures); the last frame is held longer. The exact pictures are the PNG
files beside the film.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from unfog.atomic import atomic_write
from unfog.errors import OutputError
from unfog.output import containers
from unfog.output.provenance import Picture, Provenance, mark_png, mark_xmp, to_image
from unfog.output.sheet import contact_sheet

FORMATS = (".webp", ".png", ".apng", ".gif")
MAX_FRAMES = 32
MAX_PICTURES = 36


def write_film(
    path: str | Path,
    frames: Picture,
    provenance: Provenance,
    *,
    milliseconds: int = 80,
    hold: int = 2500,
    max_width: int = 640,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write an animation of a sheet of pictures clearing up.

    Args:
        path: where to; ends in `.webp` (best), `.png`, `.apng` or `.gif`.
        frames: uint8 (T, N, H, W, C) from noise to picture. Of more than 32 frames some are left out evenly,
            and of more than 36 pictures only the first are shown.
        provenance: what made the pictures; the film carries it with kind "film".
        milliseconds: how long a frame is shown.
        hold: how long the last frame is shown.
        max_width: greatest width in pixels.
        progress: called with (frames drawn, frames).

    Returns:
        The path.

    Raises:
        OutputError: frames of another shape, an unknown format, or the file cannot be written.
    """
    path = Path(path)
    data = encode_film(
        path.suffix,
        frames,
        provenance,
        milliseconds=milliseconds,
        hold=hold,
        max_width=max_width,
        progress=progress,
    )
    return atomic_write(path, data)


def encode_film(
    suffix: str,
    frames: Picture,
    provenance: Provenance,
    *,
    milliseconds: int = 80,
    hold: int = 2500,
    max_width: int = 640,
    progress: Callable[[int, int], None] | None = None,
) -> bytes:
    """The bytes of the file that `write_film` writes; ``suffix`` chooses the format."""
    suffix = suffix.lower()
    if suffix not in FORMATS:
        raise OutputError(
            f"A film cannot be written as {suffix or 'a file without suffix'!r}. Use .webp, .png or .gif."
        )
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 5 or 0 in frames.shape:
        raise OutputError(f"A film needs frames as uint8 (T, N, H, W, C), not {frames.dtype} {frames.shape}.")
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), MAX_FRAMES)).round().astype(int))
    pictures = []
    for done, number in enumerate(chosen, 1):
        sheet = contact_sheet(frames[number, :MAX_PICTURES], max_width=max_width, tile=96)
        pictures.append(sheet if number == chosen[-1] else _coarse(sheet))
        if progress is not None:
            progress(done, len(chosen))
    entry = replace(provenance, kind="film")
    times = [milliseconds] * (len(pictures) - 1) + [hold]
    return _encode(suffix, pictures, times, entry, np.stack(pictures))


def _encode(
    suffix: str, pictures: list[Picture], times: list[int], entry: Provenance, content: Picture
) -> bytes:
    images = [to_image(picture) for picture in pictures]
    if suffix == ".webp":
        grey = pictures[0].shape[2] == 1
        options: dict[str, Any] = {"lossless": True} if grey else {"quality": 75, "allow_mixed": True}
        return _save(images, "WEBP", times, xmp=mark_xmp(entry, content), method=4, **options)
    if suffix == ".gif":
        return containers.insert_gif(_save(images, "GIF", times), mark_xmp(entry, content))
    return mark_png(_save(images, "PNG", times), entry, content)


def _save(images: list[Image.Image], form: str, times: list[int], **options: Any) -> bytes:
    buffer = io.BytesIO()
    # a single frame is a plain picture: some writers reject a list of times for it
    moving = (
        {"save_all": True, "append_images": images[1:], "duration": times, "loop": 0}
        if len(images) > 1
        else {}
    )
    images[0].save(buffer, form, **moving, **options)
    return buffer.getvalue()


def _coarse(sheet: Picture) -> Picture:
    """16 levels, black and white among them."""
    return ((sheet.astype(np.uint16) * 15 + 127) // 255 * 17).astype(np.uint8)
