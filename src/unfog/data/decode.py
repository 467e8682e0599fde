"""Any picture -> uint8 (S, S, C): turned upright, cut to its central square or to the nearest of some shapes,
shrunk by area, nothing clipped.

Values after decoding are 0..255 in the picture's own (sRGB) coding. Sixteen bits are divided by 257;
floats in 0..1 are taken times 255, floats in 0..255 as they are, anything else from its own smallest to
its own largest value. What is transparent shows ``ground``. Colour profiles are not applied.
"""

from __future__ import annotations

import io
import logging
import math
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from unfog.data.buckets import Shape, nearest_shape
from unfog.data.ground import Colour
from unfog.data.reader import NOT_A_PICTURE, Payload, plain_reason
from unfog.errors import DataError

MAX_PIXELS = 178_956_970
"""Where Pillow itself refuses: 2 GB would be needed to hold more. Read from the header, before decoding."""

BIG_PIXELS = 25_000_000
"""Pictures above this are decoded one at a time, so that memory peaks at one of them, not one per thread."""

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF", "QOI", "ICO", "PCX")
"""What is opened. EPS (it runs Ghostscript), WMF and formats without a signature are left out."""

_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_LYING = frozenset({5, 6, 7, 8})  # orientations whose sides are exchanged
_ALONE = threading.Lock()


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture says of itself before it is decoded.

    Attributes:
        width: in pixels, before it is turned upright.
        height: in pixels, before it is turned upright.
        grey: it cannot hold colour.
    """

    width: int
    height: int
    grey: bool

    @property
    def short(self) -> int:
        """The shorter side in pixels: the side of the central square."""
        return min(self.width, self.height)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings about odd files from the screen; what matters is raised or counted."""
    logger, silent = logging.getLogger("PIL"), logging.NullHandler()
    logger.addHandler(silent)  # without any handler, logging prints errors itself
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
            yield
    finally:
        logger.removeHandler(silent)


def read_header(payload: Payload) -> Header:
    """Size and kind of a picture, without decoding it.

    Raises:
        DataError: not a picture, damaged, or more than ``MAX_PIXELS``; the message is the reason alone.
    """
    if isinstance(payload, np.ndarray):
        _check_array(payload)
        return Header(payload.shape[1], payload.shape[0], payload.ndim == 2 or payload.shape[2] == 1)
    with _opened(payload) as im:
        return Header(im.width, im.height, _is_grey(im))


def decode_picture(
    payload: Payload,
    size: int | Sequence[Shape],
    channels: int = 3,
    ground: Colour = (255, 255, 255),
) -> NDArray[np.uint8]:
    """Decode one picture.

    Args:
        payload: bytes of a file, path of one, or an array (H, W) or (H, W, C), C 1, 2 (alpha), 3 or 4
            (alpha).
        size: side S of the result in pixels; or several heights and widths, of which the nearest is taken.
        channels: C of the result: 1 (luma) or 3.
        ground: red, green, blue 0..255 that show where the picture is transparent; in a grey one their luma.

    Returns:
        uint8 (S, S, C), or (H, W, C) for one of several shapes.

    Raises:
        DataError: it cannot be decoded; the message is the reason alone, without the picture's name.
    """
    shapes = [(size, size)] if isinstance(size, int) else size
    if isinstance(payload, np.ndarray):
        _check_array(payload)
        if payload.dtype == np.uint8 and payload.shape[:2] in shapes:
            ready = payload.reshape(*payload.shape[:2], -1)
            if ready.shape[2] == channels:
                return ready
        with _guarded(payload):
            im = _from_array(payload)
            return _finish(im, 1, _chosen(im, 1, shapes), channels, ground)
    with _opened(payload) as im, _ALONE if im.width * im.height > BIG_PIXELS else nullcontext():
        turn = _orientation(im)
        return _decode(im, turn, _chosen(im, turn, shapes), channels, ground)


def _chosen(im: Image.Image, turn: int, shapes: Sequence[Shape]) -> Shape:
    """The nearest of some shapes of an upright picture, as it lies: turned back with it."""
    lies = turn in _LYING
    height, width = shapes[nearest_shape(*((im.width, im.height) if lies else (im.height, im.width)), shapes)]
    return (width, height) if lies else (height, width)


def _decode(im: Image.Image, turn: int, shape: Shape, channels: int, ground: Colour) -> NDArray[np.uint8]:
    # JPEG can leave out detail while decoding: ask for twice the size, and shrink the rest by area.
    ratio = min(im.height / shape[0], im.width / shape[1])
    if ratio > 2:
        wide, high = (math.ceil(side * 2 / ratio) for side in im.size)
        im.draft("L" if channels == 1 else None, (wide, high))
    return _finish(im, turn, shape, channels, ground)


def _finish(im: Image.Image, turn: int, shape: Shape, channels: int, ground: Colour) -> NDArray[np.uint8]:
    flat = _flatten(_cut(_plain(im), shape), channels, ground)
    return np.ascontiguousarray(_upright(flat, turn))


@contextmanager
def _guarded(payload: Payload) -> Iterator[None]:
    """Turn whatever Pillow raises on a damaged file into a DataError that is only the reason."""
    try:
        yield
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(_unidentified(payload)) from None
    except Image.DecompressionBombError:
        raise DataError(f"more than {MAX_PIXELS // 10**6} million pixels") from None
    except OSError as error:
        if error.errno is not None:
            raise DataError(plain_reason(error)) from error
        raise DataError(f"damaged or incomplete: {error}") from error
    except Exception as error:  # Pillow's plugins raise nearly anything on damaged files
        raise DataError(f"damaged or incomplete: {error or type(error).__name__}") from error


@contextmanager
def _opened(payload: bytes | Path) -> Iterator[Image.Image]:
    with _guarded(payload):
        if not (len(payload) if isinstance(payload, bytes) else payload.stat().st_size):
            raise DataError("empty file")
        with Image.open(
            io.BytesIO(payload) if isinstance(payload, bytes) else payload, formats=_formats()
        ) as im:
            if im.width * im.height > MAX_PIXELS:
                raise DataError(f"more than {MAX_PIXELS // 10**6} million pixels: {im.width} x {im.height}")
            if not im.width or not im.height:
                raise DataError("damaged or incomplete: it has no pixels")
            yield im


@cache
def _formats() -> list[str]:
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]  # an older Pillow knows fewer


def _unidentified(payload: Payload) -> str:
    if isinstance(payload, Path):
        with payload.open("rb") as file:
            head = file.read(16)
    else:
        head = bytes(payload[:16])
    if head[4:8] == b"ftyp" and head[8:12] in {b"heic", b"heix", b"hevc", b"mif1", b"msf1"}:
        return "HEIC picture (convert it to JPEG or PNG first)"
    if head[:3] == b"\xff\xd8\xff" or head[:8] == b"\x89PNG\r\n\x1a\n" or head[:4] in {b"GIF8", b"RIFF"}:
        return "damaged or incomplete: its header cannot be read"
    return NOT_A_PICTURE


def _is_grey(im: Image.Image) -> bool:
    if im.mode in _GREY_MODES:
        return True
    if im.mode in {"P", "PA"} and im.palette is not None:
        table = np.array(im.getpalette("RGB") or [0, 0, 1], np.uint8).reshape(-1, 3)
        return bool((table == table[:, :1]).all())
    return False


def _orientation(im: Image.Image) -> int:
    try:
        return int(im.getexif().get(0x0112, 1))
    except Exception:  # a damaged EXIF block does not make the picture bad
        return 1


def _plain(im: Image.Image) -> Image.Image:
    """The picture in a mode that can be averaged: L, RGB, La, RGBa (alpha multiplied in), CMYK or F."""
    if im.mode in {"La", "RGBa"}:
        return im
    if im.mode == "F" or im.mode.startswith("I"):
        return Image.fromarray(_scaled(np.asarray(im), im.format))
    if im.mode in {"LA", "RGBA", "PA"} or im.has_transparency_data:
        grey = im.mode in {"1", "L", "LA"}
        return im.convert("LA" if grey else "RGBA").convert("La" if grey else "RGBa")
    if im.mode in {"L", "RGB", "CMYK"}:
        return im
    if im.mode == "1":
        return im.convert("L")
    if im.mode == "LAB":
        return _from_lab(im)
    return im.convert("RGB")


def _from_lab(im: Image.Image) -> Image.Image:
    from PIL import ImageCms

    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    turned = ImageCms.profileToProfile(im, *profiles, outputMode="RGB")
    return turned if turned is not None else im.convert("RGB")


def _scaled(values: NDArray[Any], kind: str | None = None) -> NDArray[np.float32]:
    """Values of more than 8 bits as float32 0..255; see the top of the file for the rule."""
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return values.astype(np.float32) / np.float32(257)
    if values.dtype == np.bool_:
        return values.astype(np.float32) * np.float32(255)
    finite = np.clip(np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0), -1e99, 1e99)
    low, high = float(finite.min()), float(finite.max())
    if values.dtype.kind != "f" and low >= 0 and high <= 65535:
        # 32-bit integers: Pillow gives some 16-bit files this mode; a PNG can only have been one of those
        return (finite / (257 if high > 255 or kind == "PNG" else 1)).astype(np.float32)
    if values.dtype.kind == "f" and low >= 0 and high <= 255:
        return (finite * (255 if high <= 1 else 1)).astype(np.float32)
    spread = high - low
    stretched: NDArray[np.float64] = (finite - low) * (255 / spread if spread > 0 else 0.0)
    return stretched.astype(np.float32)


def _cut(im: Image.Image, shape: Shape) -> Image.Image:
    """The middle of a picture at ``shape``. Whole ratios are exact area means; others use Hamming's window,
    which is as wide as the area but does not shift edges by half a pixel as a box would; growing is
    bicubic.
    """
    high, wide = shape
    # the largest part of this shape: all of one side, of the other what belongs to it
    if im.height * wide <= im.width * high:
        whole, rest = divmod(im.height, high)
    else:
        whole, rest = divmod(im.width, wide)
    if rest == 0:
        width, height = wide * whole, high * whole
        left, top = (im.width - width) // 2, (im.height - height) // 2
        part = (left, top, left + width, top + height)
        return im.crop(part) if whole == 1 else im.reduce(whole, part)
    ratio = min(im.height / high, im.width / wide)
    x, y = (im.width - wide * ratio) / 2, (im.height - high * ratio) / 2
    way = Image.Resampling.BICUBIC if ratio < 1 else Image.Resampling.HAMMING
    box = (x, y, min(im.width, x + wide * ratio), min(im.height, y + high * ratio))
    return im.resize((wide, high), way, box, reducing_gap=2.0)


def _flatten(im: Image.Image, channels: int, ground: Colour) -> NDArray[np.uint8]:
    """A small picture as uint8 (H, W, C), what is transparent filled with ``ground``."""
    if im.mode == "CMYK":
        im = im.convert("RGB")
    if im.mode in {"La", "RGBa"}:
        full = np.asarray(im).astype(np.float32)
        if channels == 3 and full.shape[2] == 2:
            full = full[..., [0, 0, 0, 1]]  # grey on a coloured ground
        below = np.asarray(ground if full.shape[2] == 4 else _luma(ground), np.float32)
        colour = full[..., :-1] + below * (1 - full[..., -1:] / 255)
        pixels = np.clip(np.rint(colour), 0, 255).astype(np.uint8)
    elif im.mode == "F":
        pixels = np.clip(np.rint(np.asarray(im)), 0, 255).astype(np.uint8)[..., None]
    else:
        pixels = np.asarray(im).reshape(im.height, im.width, -1)
    if channels == 1 and pixels.shape[2] == 3:
        return np.asarray(Image.fromarray(pixels).convert("L"))[..., None]
    return np.repeat(pixels, 3, axis=2) if channels == 3 and pixels.shape[2] == 1 else pixels


def _luma(colour: Colour) -> int:
    """As Pillow makes a colour grey (ITU-R BT.601)."""
    return int(np.asarray(Image.new("RGB", (1, 1), colour).convert("L"))[0, 0])


def _upright(pixels: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """Apply an EXIF orientation, 1..8, to (H, W, C); other values leave it as it is."""
    if turn in _LYING:
        pixels = pixels.transpose(1, 0, 2)
    if turn in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if turn in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return pixels


def _check_array(pixels: NDArray[Any]) -> None:
    if pixels.ndim not in {2, 3} or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[2] > 4):
        raise DataError(f"{NOT_A_PICTURE}: an array of shape {pixels.shape}")
    if pixels.dtype.kind not in "buif":
        raise DataError(f"{NOT_A_PICTURE}: an array of {pixels.dtype}")


def _from_array(pixels: NDArray[Any]) -> Image.Image:
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.dtype != np.uint8:
        scaled = _scaled(pixels)
        if pixels.ndim == 2:
            return Image.fromarray(scaled)
        pixels = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels))
