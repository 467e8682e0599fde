"""The latents of a whole set of pictures, encoded once and kept on disk.

An encoder would be most of a training step, and would say the same in every epoch. So latents lie in a cache
beside the decoded pictures, in half precision, named by the codec and the data they come from. It is made
in a folder of its own that appears when it is complete. On opening, its length and digest are compared
with what was written down, as ``data/cache.py`` does for pixels; a damaged cache is made again, and said so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unfog.data import cache as caches
from unfog.data.buckets import Buckets
from unfog.errors import DataError

VERSION = 1
"""Raised whenever encoding or the files of the cache change, so that older caches are not used."""

AT_ONCE = 64  # pictures read and encoded together

Progress = Callable[[int, int], None]


def open_latents(
    images: NDArray[np.uint8] | Buckets,
    digest: str,
    compress: Callable[[Tensor], Tensor],
    codec: str,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> NDArray[np.float16]:
    """The latents of pictures: from the cache, or encoded now and put there.

    Args:
        images: uint8 (N, H, W, C), also memory-mapped; or at their own shapes.
        digest: hash of what they and their like decode from; with N and shape it names the pictures.
        compress: uint8 (B, C, H, W) to latents (B, c, h, w), as ``LatentCodec.compress``.
        codec: fingerprint of what encodes.
        cache: folder; None is $UNFOG_CACHE or the user's cache folder.
        progress: called with (done, total) pictures.
        say: is told when a damaged cache is made again.

    Returns:
        Float16, read-only, on disk: (N, h, w, c), or as ``Buckets.rows`` for pictures of several shapes.

    Raises:
        DataError: the cache cannot be written, or latents leave the range of half precision.
    """
    shape = (images.rows.shape, images.shapes) if isinstance(images, Buckets) else images.shape
    final = latents_folder(shape, digest, codec, cache)
    found = _load(final)
    if isinstance(found, np.ndarray):
        return found
    with caches.lock(final.with_name(f"{final.name}.lock")):
        found = _load(final)  # another process may have made it while this one waited
        if isinstance(found, str):
            if found and say:
                say(f"The cache of latents was made again: {found}.")
            with caches.workplace(final) as temporary:
                _write(temporary, images, compress, progress or (lambda done, total: None))
            found = _load(final)
    if isinstance(found, str):
        raise DataError(f"The cache in {final} cannot be read back ({found}). Is the disk sound?")
    return found


def latents_folder(shape: tuple[Any, ...], digest: str, codec: str, cache: Path | None = None) -> Path:
    """Where the latents of these pictures by this codec lie."""
    key = hashlib.sha256(repr((VERSION, tuple(shape), digest, codec)).encode()).hexdigest()[:32]
    return caches.cache_folder(cache) / "latents" / key


def _parts(images: NDArray[np.uint8] | Buckets) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Numbers of pictures, and those, all of one shape, uint8 (B, C, H, W)."""
    if not isinstance(images, Buckets):
        groups = [np.arange(len(images))]
    else:
        groups = [np.flatnonzero(images.which == number) for number in range(len(images.shapes))]
    for group in groups:
        for start in range(0, len(group), AT_ONCE):
            chosen = group[start : start + AT_ONCE]
            part = images.pictures(chosen) if isinstance(images, Buckets) else images[chosen]
            yield chosen, torch.from_numpy(np.array(part)).permute(0, 3, 1, 2)


def _write(
    folder: Path,
    images: NDArray[np.uint8] | Buckets,
    compress: Callable[[Tensor], Tensor],
    progress: Progress,
) -> None:
    """latents.npy and manifest.json."""
    latents, done = None, 0
    path, count = folder / "latents.npy", len(images)
    for chosen, raw in _parts(images):
        part = compress(raw).permute(0, 2, 3, 1).contiguous().cpu().numpy()
        if not (np.abs(part) < 65504).all():  # also where it is no number
            raise DataError("Latents are not finite or above 65,504: the codec is broken. Train it again.")
        half, room = part.astype(np.float16), part.shape[1:]
        if isinstance(images, Buckets):
            half = half.reshape(len(half), -1)
            room = (images.rows.shape[1] * half.shape[1] // raw[0].numel(),)  # all fold alike
        with caches.writing(path):
            if latents is None:
                latents = np.lib.format.open_memmap(path, "w+", np.float16, (count, *room))
            latents[chosen, : half.shape[1]] = half
        done += len(half)
        progress(done, count)
    if latents is None:
        raise DataError("There is no picture to encode. Give a folder that holds at least one.")
    with caches.writing(path):
        latents.flush()
    sha = hashlib.sha256()
    for start in range(0, count, AT_ONCE):
        sha.update(latents[start : start + AT_ONCE].tobytes())
    body: dict[str, Any] = {"shape": latents.shape, "sha256": sha.hexdigest()}
    del latents
    body |= {"version": VERSION, "spot": caches.spot_digest(path)}
    caches.save_bytes(folder / "manifest.json", json.dumps(body).encode())


def _load(folder: Path) -> NDArray[np.float16] | str:
    """The latents; or, when they cannot be used, why: '' if there are none."""
    if not folder.exists():
        return ""
    path = folder / "latents.npy"
    try:
        body = json.loads((folder / "manifest.json").read_text("utf-8"))
        latents: NDArray[np.float16] = np.load(path, mmap_mode="r", allow_pickle=False)
        if body["version"] != VERSION or list(latents.shape) != body["shape"] or latents.dtype != np.float16:
            return "it is of another kind than its manifest says"
        if latents.nbytes <= caches.FULL_CHECK:
            sound = hashlib.sha256(np.ascontiguousarray(latents).data).hexdigest() == body["sha256"]
        else:
            sound = caches.spot_digest(path) == body["spot"]
    except FileNotFoundError:
        return "a file is missing"
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        return f"it cannot be read ({error})"
    return latents if sound else "it is damaged"
