"""Decoded pictures on disk: .npy files and one JSON manifest in a folder, whole or not there at all.

A cache is built in a folder of its own beside the final one and renamed when complete, so a reader never
sees half of one. On opening, lengths and digests are compared with the manifest: pixels up to
``FULL_CHECK`` bytes are read in full, more than that at the start, the end and evenly spaced places
between (a full pass would take longer than the first epoch).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from unfog.data.buckets import Buckets, Shape
from unfog.data.captions import Captions
from unfog.errors import DataError

CODE_VERSION = 4
"""Raised whenever decoding or the files of the cache change, so that older caches are not used."""

FULL_CHECK = 256 * 1024 * 1024
BUCKETS = "buckets.npy"
_BLOCK = 65_536
_HEADER = 128


class Stale(Exception):
    """A cache that cannot be trusted; the message says why."""


@dataclass(frozen=True)
class Manifest:
    """All of a cache that is not an array.

    Attributes:
        shape: (N, H, W, C) of the pixels.
        names: where each picture came from, N.
        captions: the captions of each picture, N; None when no picture has one.
        classes: class names; empty when there are none.
        skipped: (name, reason) of what was left out.
        notes: sentences for the user.
        duplicates: pictures with the same pixels as an earlier one.
        pixels: sha256 of the pixels (hex).
        spot: sha256 of the places that are read when a full check would take too long (hex).
        digest: sha256 of everything decoded: pixels, labels, classes, captions (hex).
        arrays: sha256 of each small array file by name (hex).
        shapes: height and width of each bucket; empty without buckets.
        shaped: sha256 of the pixels in buckets (hex), and the one of the places that a quick check reads.
    """

    shape: tuple[int, int, int, int]
    names: tuple[str, ...]
    captions: Captions | None
    classes: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    duplicates: int
    pixels: str
    spot: str
    digest: str
    arrays: dict[str, str]
    shapes: tuple[Shape, ...] = ()
    shaped: tuple[str, str] = ("", "")

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read a manifest back.

        Raises:
            Stale: it is damaged or of another version.
        """
        try:
            outer = json.loads(text)
            body: dict[str, Any] = outer["body"]
            if outer["version"] != CODE_VERSION:
                raise Stale("it is of another version")
            if outer["check"] != _text_digest(body) or set(body) != {field.name for field in fields(cls)}:
                raise Stale("its manifest is damaged")
        except (ValueError, KeyError, TypeError) as error:
            raise Stale("its manifest is damaged") from error
        for name in ("shape", "names", "classes", "notes", "shaped"):
            body[name] = tuple(body[name])
        body["shapes"] = tuple((height, width) for height, width in body["shapes"])
        body["captions"] = None if body["captions"] is None else tuple(map(tuple, body["captions"]))
        body["skipped"] = tuple((name, reason) for name, reason in body["skipped"])
        return cls(**body)

    def to_json(self) -> str:
        """The manifest as text, with a digest of itself."""
        body = vars(self)
        return json.dumps({"version": CODE_VERSION, "check": _text_digest(body), "body": body})


def _text_digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def cache_folder(given: Path | None = None) -> Path:
    """Where caches lie: ``given``, or $UNFOG_CACHE, or $XDG_CACHE_HOME/unfog, or ~/.cache/unfog."""
    if given is not None:
        return Path(given).expanduser()
    if named := os.environ.get("UNFOG_CACHE"):
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base if base and Path(base).is_absolute() else Path.home() / ".cache") / "unfog"


class PixelWriter:
    """Writes pictures one by one into a .npy file; how many there are is known only at the end.

    Raises:
        DataError: (all methods) the disk is full or not writable.
    """

    def __init__(self, path: Path, height: int, width: int, channels: int) -> None:
        self.path, self.item = path, (height, width, channels)
        self.count = 0
        self._sha = hashlib.sha256()
        with writing(path):
            self._file: BinaryIO = path.open("wb")
            self._file.write(self._header())

    def write(self, pixels: NDArray[np.uint8]) -> None:
        """Append pictures: uint8 (H, W, C) or (n, H, W, C)."""
        raw = np.ascontiguousarray(pixels).data.cast("B") if pixels.size else b""
        with writing(self.path):
            self._file.write(raw)
        self._sha.update(raw)
        self.count += 1 if pixels.ndim == 3 else len(pixels)

    def close(self) -> str:
        """Complete the header, put the file on disk, and give the sha256 of the pixels."""
        with writing(self.path):
            self._file.seek(0)
            self._file.write(self._header())
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        return self._sha.hexdigest()

    def abandon(self) -> None:
        """Close without completing; nothing happens after ``close``."""
        with contextlib.suppress(OSError):  # closing flushes, and the disk may be full
            self._file.close()

    def _header(self) -> bytes:
        # numpy pads to 64 bytes and may need more for a larger N; ours has one length for every N
        shape = (self.count, *self.item)
        text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape!r}, }}".encode()
        body = text.ljust(_HEADER - 11) + b"\n"
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(body)) + body


def spot_digest(path: Path) -> str:
    """The sha256 (hex) of the length, the start, the end and 62 evenly spaced places of a file."""
    size = path.stat().st_size
    sha = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for place in np.linspace(0, max(0, size - _BLOCK), 64).astype(np.int64):
            file.seek(int(place))
            sha.update(file.read(_BLOCK))
    return sha.hexdigest()


def save_array(folder: Path, name: str, values: NDArray[Any]) -> str:
    """Write a small array as .npy and give its sha256 (hex)."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    save_bytes(folder / name, buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def save_bytes(path: Path, raw: bytes) -> None:
    """Write a file and wait until it is on disk."""
    with writing(path), path.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failed write into a DataError that says where and what to do."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"The cache in {path.parent} cannot be written ({error.strerror or error}).\n"
            "Make room there, or name another folder in UNFOG_CACHE."
        ) from error


@dataclass(frozen=True, eq=False)
class Loaded:
    """An opened cache.

    Attributes:
        manifest: all that is not an array.
        images: read-only memory map uint8 (N, H, W, C).
        arrays: the small arrays by file name.
        buckets: the pictures at their own shapes, or None.
    """

    manifest: Manifest
    images: NDArray[np.uint8]
    arrays: dict[str, NDArray[Any]]
    buckets: Buckets | None = None


def load(folder: Path) -> Loaded | str:
    """Open a cache and check it.

    Returns:
        The cache; or, when it cannot be used, why: '' if there is none.
    """
    try:
        return _load(folder)
    except Stale as stale:
        return str(stale)
    except FileNotFoundError:
        return "a file is missing" if folder.exists() else ""
    except (OSError, ValueError, EOFError) as error:
        return f"it cannot be read ({error})"


def _load(folder: Path) -> Loaded:
    manifest = Manifest.from_json((folder / "manifest.json").read_text("utf-8"))
    images = _pixels(folder / "images.npy", manifest.shape, manifest.pixels, manifest.spot)
    arrays = {name: _small(folder / name, sha) for name, sha in manifest.arrays.items()}
    buckets = None
    if manifest.shapes:
        count, height, width, channels = manifest.shape
        rows = _pixels(folder / BUCKETS, (count, 1, height * width, channels), *manifest.shaped)
        buckets = Buckets(rows.reshape(count, -1), arrays["which.npy"], manifest.shapes, channels)
    return Loaded(manifest, images, arrays, buckets)


def _pixels(path: Path, shape: tuple[int, ...], whole: str, spot: str) -> NDArray[np.uint8]:
    """A memory map of pixels that are what they were.

    Raises:
        Stale: they are not.
    """
    pixels: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    if pixels.shape != shape or pixels.dtype != np.uint8:
        raise Stale("its pixels have another shape than its manifest says")
    if path.stat().st_size != _HEADER + pixels.size:
        raise Stale("its pixels have another length than its manifest says")
    if pixels.size <= FULL_CHECK:
        sound = hashlib.sha256(pixels.data if pixels.size else b"").hexdigest() == whole
    else:
        sound = spot_digest(path) == spot
    if not sound:
        raise Stale("its pixels are damaged")
    return pixels


def _small(path: Path, sha: str) -> NDArray[Any]:
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha:
        raise Stale(f"its {path.name} is damaged")
    values: NDArray[Any] = np.load(path, allow_pickle=False)
    return values


@contextlib.contextmanager
def workplace(final: Path) -> Iterator[Path]:
    """A fresh folder beside ``final``; it becomes ``final`` when the block ends well, and is removed
    otherwise.

    Raises:
        DataError: the cache folder cannot be written, or the disk is full.
    """
    with writing(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        temp = Path(tempfile.mkdtemp(prefix=f"{final.name}.tmp-", dir=final.parent))
    try:
        yield temp
        with writing(final):
            temp.chmod(0o755)  # mkdtemp makes it private; a cache may be shared
            _replace(temp, final)
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def _replace(temp: Path, final: Path) -> None:
    """Put a complete folder in place of another or of none; the last of several equal builders wins."""
    aside = temp.with_name(temp.name + ".old")
    for _ in range(8):
        with contextlib.suppress(FileNotFoundError):
            os.replace(final, aside)
        shutil.rmtree(aside, ignore_errors=True)
        try:
            os.replace(temp, final)
            return
        except OSError:  # another process put its own there in between
            if not final.exists():
                raise
    raise DataError(f"The cache {final} is being replaced by other processes again and again. Try once more.")


@contextlib.contextmanager
def lock(path: Path) -> Iterator[bool]:
    """Wait until no other process builds the same cache, as far as the system can tell.

    Yields:
        Whether this process has the lock. Where locks do not exist (some network disks, Windows) work is done
        twice, which is safe.
    """
    try:
        import fcntl

        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except (ImportError, OSError):
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)  # released by the system when a process dies
            held = True
        except OSError:
            held = False
        yield held


def sweep(final: Path, origin: str) -> None:
    """Remove what earlier builds of the same source left: half-built folders, caches of an older listing."""
    for path in final.parent.glob(f"{origin}-*"):
        if path != final:
            shutil.rmtree(path, ignore_errors=True)
