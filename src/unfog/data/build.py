"""From a reader to a cache: look at all headers, choose size and channels, decode, write as it goes."""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from unfog.data import split
from unfog.data.buckets import Shape, shapes_for
from unfog.data.cache import BUCKETS, Manifest, PixelWriter, save_array, save_bytes, spot_digest
from unfog.data.captions import Tally
from unfog.data.decode import Header, decode_picture, quiet, read_header
from unfog.data.ground import Ground
from unfog.data.layout import natural
from unfog.data.reader import Entry, Payload, Reader
from unfog.errors import DataError

Progress = Callable[[int, int], None]
Pixels = list[NDArray[np.uint8]]
T = TypeVar("T")

SIZES = (8, 16, 24, 28, 32)
KEPT = 64  # a side that all pictures share is kept up to here
"""Sides to choose from: each can be halved two times or more, as the networks do."""

WHITE = Ground()
_CHUNK, _CHUNK_BYTES = 16, 8 * 1024 * 1024


@dataclass(frozen=True)
class Plan:
    """What all pictures become.

    Attributes:
        size: side in pixels.
        channels: 1 or 3.
        smallest: pictures whose shorter side is below this are left out.
        watch_colour: channels is 3 only because some file could hold colour; fall back to 1 if none does.
        notes: sentences for the user.
        shapes: what pictures are kept at beside the square, see ``buckets``; empty for the square alone.
    """

    size: int
    channels: int
    smallest: float
    watch_colour: bool
    notes: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """What is asked for of pictures.

    Attributes:
        size: side in pixels; chosen from the data when None.
        channels: 1 or 3; chosen from the data when None.
        ground: what shows under transparent pictures.
        buckets: also keep each picture at the nearest of some shapes, in buckets.npy.
    """

    size: int | None = None
    channels: int | None = None
    ground: Ground = WHITE
    buckets: bool = False


def workers() -> int:
    """Threads to decode with: one per usable core, eight at most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(8, cores))


def choose_size(headers: list[Header]) -> int:
    """The side to use when none is asked for.

    Pictures that all share one side up to 64 keep it (28 stays 28) if it is a multiple of 4. Otherwise the
    largest of ``SIZES`` that is not above the median of the shorter sides. Never above 32: with 64 a training
    step on two cores costs five times as much, and ten minutes show nothing; larger is there for the asking.
    """
    shorts = sorted(header.short for header in headers)
    if shorts[0] == shorts[-1] <= KEPT and shorts[0] % 4 == 0:
        return shorts[0]
    median = shorts[len(shorts) // 2]
    return max((size for size in SIZES if size <= median), default=SIZES[0])


def make_plan(headers: list[Header], size: int | None, channels: int | None) -> Plan:
    """Choose what was not given; see ``choose_size``. ``headers`` must not be empty."""
    side = size or choose_size(headers)
    smallest = side / 2
    notes: tuple[str, ...] = ()
    if all(header.short < smallest for header in headers):
        smallest = 0.0  # all are small: rather blurred pictures than none
        notes = (f"All pictures are much smaller than {side} px; they were enlarged and will look soft.",)
    grey = all(header.grey for header in headers if header.short >= smallest)
    return Plan(side, channels or (1 if grey else 3), smallest, channels is None and not grey, notes)


def build(
    reader: Reader, folder: Path, wanted: Wanted | None = None, progress: Progress | None = None
) -> Manifest:
    """Decode everything a reader has into ``folder``: images.npy, labels.npy, split.npy, manifest.json.

    Args:
        reader: the source; gone through twice.
        folder: an empty folder.
        wanted: what is asked for; all is chosen from the data when left out.
        progress: called with (pictures done, pictures in all) now and then.

    Raises:
        DataError: no picture can be used.
    """
    wanted = wanted or Wanted()
    with quiet(), ThreadPoolExecutor(workers()) as pool:
        try:
            heads = _scan(reader, pool, progress)
            usable = [head for _, head in heads if isinstance(head, Header)]
            if not usable:
                raise DataError(
                    _nothing(reader.source, [(e.name, h) for e, h in heads if isinstance(h, str)])
                )
            plan = make_plan(usable, wanted.size, wanted.channels)
            if wanted.buckets:
                plan = replace(plan, shapes=shapes_for(plan.size))
            return _Building(reader, folder, plan, wanted.ground, heads).run(pool, progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # Ctrl-C must not wait for what nobody wants
            raise


def _scan(
    reader: Reader, pool: ThreadPoolExecutor, progress: Progress | None
) -> list[tuple[Entry, Header | str]]:
    """Every entry without its payload, with its header or the reason why it has none."""
    heads: list[tuple[Entry, Header | str]] = []
    for entry, head in _ordered(pool, reader.entries(), _head):
        heads.append((_without_payload(entry), head))
        if progress and len(heads) % 1000 == 0:
            progress(0, len(heads))
    return heads


def _head(payload: Payload, name: str) -> Header | str:
    try:
        return read_header(payload)
    except DataError as error:
        return str(error)


def _without_payload(entry: Entry) -> Entry:
    return replace(entry, payload=None)


class _Building:
    """One run of ``build``: what is gathered while pictures are decoded."""

    def __init__(
        self,
        reader: Reader,
        folder: Path,
        plan: Plan,
        ground: Ground,
        heads: list[tuple[Entry, Header | str]],
    ) -> None:
        self.reader, self.folder, self.plan, self.ground, self.heads = reader, folder, plan, ground, heads
        self.kept: list[Entry] = []
        self.tally = Tally()
        self.skipped: list[tuple[str, str]] = []
        self.prints: list[bytes] = []
        self.coloured = False
        self.which: list[int] = []

    def run(self, pool: ThreadPoolExecutor, progress: Progress | None) -> Manifest:
        side, channels = self.plan.size, self.plan.channels
        writers = [PixelWriter(self.folder / "images.npy", side, side, channels)]
        if self.plan.shapes:
            writers.append(PixelWriter(self.folder / BUCKETS, 1, side * side, channels))
        try:
            for done, (entry, pixels) in enumerate(_ordered(pool, self._wanted(), self._pixels), 1):
                if isinstance(pixels, str):
                    self.skipped.append((entry.name, pixels))
                else:
                    for writer, each in zip(writers, self._laid(pixels), strict=True):
                        writer.write(each)
                    self._note(entry, pixels[0])
                if progress and (done % 50 == 0 or done == len(self.heads)):
                    progress(done, len(self.heads))
            shas = [writer.close() for writer in writers]
        finally:
            for writer in writers:
                writer.abandon()
        if not self.kept:
            raise DataError(_nothing(self.reader.source, self.skipped))
        if self.plan.watch_colour and not self.coloured:
            channels, shas = 1, [_to_grey(writer.path) for writer in writers]
        return self._finish(channels, *shas)

    def _laid(self, pixels: Pixels) -> Pixels:
        """The same as they are written: a picture in a bucket is a row of pixels, with zeros behind it."""
        square, *shaped = pixels
        rows = []
        for each in shaped:
            self.which.append(self.plan.shapes.index(each.shape[:2]))
            row = np.zeros((1, square.shape[0] * square.shape[1], each.shape[2]), np.uint8)
            row[0, : each.shape[0] * each.shape[1]] = each.reshape(-1, each.shape[2])
            rows.append(row)
        return [square, *rows]

    def _wanted(self) -> Iterator[Entry]:
        """The reader's entries once more; those that the headers rule out come with a reason."""
        again = self.reader.entries()
        for seen, head in self.heads:
            entry = next(again, None)
            if entry is None or entry.name != seen.name:
                raise DataError(
                    f"{self.reader.source!r} was changed while it was read. Start again when it is at rest."
                )
            if isinstance(head, str):
                yield Entry(entry.name, reason=head)
            elif head.short < self.plan.smallest:
                yield Entry(
                    entry.name, reason=f"much smaller than {self.plan.size} px: {head.width} x {head.height}"
                )
            else:
                yield entry

    def _pixels(self, payload: Payload, name: str) -> Pixels | str:
        """The square, and with buckets the picture at its own shape."""
        plan, under = self.plan, self.ground.under(name)
        sizes: list[int | tuple[Shape, ...]] = [plan.size, *([plan.shapes] if plan.shapes else [])]
        try:
            return [decode_picture(payload, size, plan.channels, under) for size in sizes]
        except DataError as error:
            return str(error)

    def _note(self, entry: Entry, pixels: NDArray[np.uint8]) -> None:
        self.kept.append(replace(entry, payload=None, captions=self.tally.tidy(entry.captions)))
        self.prints.append(hashlib.blake2b(pixels.tobytes(), digest_size=16).digest())
        if self.plan.watch_colour and not self.coloured:
            self.coloured = bool((pixels != pixels[..., :1]).any())

    def _finish(self, channels: int, sha: str, shaped: str = "") -> Manifest:
        labels, classes = self._labels()
        numbers, duplicates = split.group([entry.key or entry.name for entry in self.kept], self.prints)
        captions = tuple(entry.captions for entry in self.kept)
        arrays = {"split.npy": save_array(self.folder, "split.npy", numbers)}
        if labels is not None:
            arrays["labels.npy"] = save_array(self.folder, "labels.npy", labels)
        if any(entry.held is not None for entry in self.kept):
            official = np.array([bool(entry.held) for entry in self.kept])
            arrays["official.npy"] = save_array(self.folder, "official.npy", official)
        shape = (len(self.kept), self.plan.size, self.plan.size, channels)
        content = [shape, sha, arrays.get("labels.npy"), classes, captions if any(captions) else None]
        if shaped:
            arrays["which.npy"] = save_array(self.folder, "which.npy", np.array(self.which, np.int64))
            content += [shaped, arrays["which.npy"]]
        texts = json.dumps(content)
        manifest = Manifest(
            shape=shape,
            names=tuple(entry.name for entry in self.kept),
            captions=captions if any(captions) else None,
            classes=classes,
            skipped=tuple(self.skipped),
            notes=(*self.reader.notes, *self.plan.notes, *self.tally.notes()),
            duplicates=duplicates,
            pixels=sha,
            spot=spot_digest(self.folder / "images.npy"),
            digest=hashlib.sha256(texts.encode()).hexdigest(),
            arrays=arrays,
            shapes=self.plan.shapes,
            shaped=(shaped, spot_digest(self.folder / BUCKETS) if shaped else ""),
        )
        save_bytes(self.folder / "manifest.json", manifest.to_json().encode())
        return manifest

    def _labels(self) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
        given = {entry.label for entry in self.kept if entry.label is not None}
        if not given:
            return None, ()
        fixed = self.reader.classes or ()
        classes = (*fixed, *natural(given - set(fixed)))
        place = {name: index for index, name in enumerate(classes)}
        return np.array([place.get(entry.label or "", -1) for entry in self.kept], np.int64), classes


def _to_grey(path: Path) -> str:
    """Rewrite pixels (N, H, W, 3) whose channels are equal as (N, H, W, 1), a few at a time."""
    full = np.load(path, mmap_mode="r", allow_pickle=False)
    writer = PixelWriter(path.with_name("grey.npy"), full.shape[1], full.shape[2], 1)
    try:
        for start in range(0, len(full), 1024):
            writer.write(full[start : start + 1024, :, :, :1])
        sha = writer.close()
    finally:
        writer.abandon()
    del full
    os.replace(writer.path, path)
    return sha


def _nothing(source: str, left_out: list[tuple[str, str]]) -> str:
    if not left_out:
        return (
            f"There are no pictures in {source!r}. Give a folder, archive or table with PNG, JPEG, ... in it."
        )
    shown = "; ".join(f"{name}: {reason}" for name, reason in left_out[:3])
    more = f"; and {len(left_out) - 3:,} more" if len(left_out) > 3 else ""
    return f"No usable picture in {source!r} ({len(left_out):,} looked at).\n{shown}{more}."


def _ordered(
    pool: ThreadPoolExecutor, entries: Iterable[Entry], work: Callable[[Payload, str], T | str]
) -> Iterator[tuple[Entry, T | str]]:
    """Apply ``work`` to payloads on all threads; results in order, few payloads in memory at a time.

    Arrays are worked on at once: handing them to a thread would cost more than the work.
    """
    waiting: deque[Future[list[tuple[Entry, T | str]]]] = deque()
    for chunk in _chunks(entries):
        if all(entry.payload is None or isinstance(entry.payload, np.ndarray) for entry in chunk):
            while waiting:
                yield from waiting.popleft().result()
            yield from _each(chunk, work)
            continue
        waiting.append(pool.submit(_each, chunk, work))
        if len(waiting) > 2 * workers():
            yield from waiting.popleft().result()
    yield from chain.from_iterable(future.result() for future in waiting)


def _each(chunk: list[Entry], work: Callable[[Payload, str], T | str]) -> list[tuple[Entry, T | str]]:
    return [
        (entry, entry.reason if entry.payload is None else work(entry.payload, entry.name)) for entry in chunk
    ]


def _chunks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    chunk: list[Entry] = []
    weight = 0
    for entry in entries:
        chunk.append(entry)
        weight += len(entry.payload) if isinstance(entry.payload, bytes) else 0
        if len(chunk) >= _CHUNK or weight >= _CHUNK_BYTES:
            yield chunk
            chunk, weight = [], 0
    if chunk:
        yield chunk
