"""The door of this room: ``open_pictures`` turns any source into a ``PictureStore``, decoded once."""

from __future__ import annotations

import difflib
import hashlib
import itertools
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unfog.data import cache as caches
from unfog.data.buckets import Buckets
from unfog.data.build import Wanted, build
from unfog.data.captions import Captions, describe
from unfog.data.ground import Ground
from unfog.data.reader import Options, Reader, plain_reason
from unfog.data.split import held_out_mask
from unfog.errors import DataError


@dataclass(frozen=True, eq=False)
class PictureStore:
    """A decoded, checked, memory-mapped set of pictures.

    Attributes:
        images: uint8 (N, H, W, C), read-only, on disk; C is 1 or 3.
        labels: int64 (N,), index into ``classes``, -1 where a picture has none; None when there are no
            classes.
        classes: class names; empty when there are none.
        names: where each picture came from.
        captions: for each picture its captions, in any languages, () where it has none; None when no picture
            has one.
        held_out: int64 indices that training must not see, ascending.
        train: int64 indices of the rest, ascending.
        source: what the user gave.
        digest: sha256 (hex) of the decoded content.
        skipped: (name, reason) of every input that was left out.
        notes: sentences the user should see.
        duplicates: pictures with the same pixels as an earlier one.
        buckets: the pictures at their own shapes, where that was asked for.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    classes: tuple[str, ...]
    names: tuple[str, ...]
    captions: Captions | None
    held_out: NDArray[np.int64]
    train: NDArray[np.int64]
    source: str
    digest: str
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    duplicates: int = 0
    buckets: Buckets | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Side of the pictures in pixels."""
        return int(self.images.shape[1])

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return int(self.images.shape[3])

    def counts(self) -> dict[str, int]:
        """Pictures of each class, in the order of ``classes``."""
        if self.labels is None:
            return {}
        return {name: int((self.labels == index).sum()) for index, name in enumerate(self.classes)}

    def reasons(self) -> dict[str, int]:
        """Inputs left out, counted by reason, most frequent first."""
        return dict(Counter(reason.partition(":")[0] for _, reason in self.skipped).most_common())

    def summary(self) -> str:
        """The set in plain words, a few lines."""
        colour = "colour" if self.channels == 3 else "grey"
        lines = [f"{len(self):,} pictures, {self.size} x {self.size}, {colour}, from {self.source}"]
        if self.buckets is not None:
            lines.append(f"kept at their own shapes: {listed(self.buckets.counts(), count_first=True)}")
        if self.labels is not None:
            lines.append(f"classes: {listed(self.counts())}")
            if unlabelled := int((self.labels < 0).sum()):
                lines.append(f"without a class: {unlabelled:,}")
        if self.captions is not None:
            lines += describe(self.captions)
        lines.append(f"held out: {len(self.held_out):,} (training never sees them)")
        if self.duplicates:
            lines.append(f"exact duplicates: {self.duplicates:,}")
        if self.skipped:
            lines.append(f"left out: {len(self.skipped):,} ({listed(self.reasons(), count_first=True)})")
        return "\n".join([*lines, *self.notes])


def listed(counts: dict[str, int], *, count_first: bool = False, most: int = 12) -> str:
    """Counts in words, the first ``most`` of them."""
    shown = [
        f"{n:,} {name}" if count_first else f"{name} {n:,}"
        for name, n in itertools.islice(counts.items(), most)
    ]
    return ", ".join(shown) + (f", and {len(counts) - most} more" if len(counts) > most else "")


def open_pictures(
    source: str | Path,
    *,
    size: int | None = None,
    channels: int | None = None,
    cache: Path | None = None,
    held_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
    ground: int | str = "white",
    options: Options | None = None,
    buckets: bool = False,
) -> PictureStore:
    """Open a set of pictures; the first time they are decoded into the cache, later they are only checked.

    Args:
        source: a folder, a picture, a zip or tar archive, a parquet, jsonl or csv table, the name of a set
            ('digits', 'fashion-mnist', 'emoji', 'world'), or 'hub:OWNER/NAME[:SPLIT]'.
        size: side in pixels; chosen from the data when None (see ``build.choose_size``).
        channels: 1 or 3; None is 1 when all pictures are grey, otherwise 3.
        cache: folder of the cache; None is $UNFOG_CACHE or the user's cache folder.
        held_out: share that training must not see, 0 <= held_out < 1; an official test part goes before.
        progress: called with (done, total) while pictures are decoded.
        ground: what shows under transparent pictures: a colour ('white', '#rrggbb'), a grey level 0..255, or
            'random', another colour for each picture.
        options: columns of a table, where the guess is wrong.
        buckets: also keep each picture at the nearest of some shapes, see ``buckets``.

    Raises:
        DataError: the source does not exist, or holds no usable picture.
        MissingExtra: a library for this kind of source is not installed.
    """
    _check(size, channels, held_out)
    under = Ground.of(ground)
    reader = find_reader(source, replace(options or Options(), cache=cache))
    asked = (size, channels, under, options, *(["buckets"] if buckets else []))
    origin = _short(type(reader).__name__, _where(reader.source), *asked)
    key = _short(_listing(reader), *asked, caches.CODE_VERSION)
    final = caches.cache_folder(cache) / "pictures" / f"{origin}-{key}"
    found = caches.load(final)
    notes: tuple[str, ...] = ()
    if not isinstance(found, caches.Loaded):
        with caches.lock(final.with_name(f"{origin}.lock")) as alone:
            found = caches.load(final)  # another process may have built it while this one waited
            if not isinstance(found, caches.Loaded):
                notes = (f"The cache of {reader.source} was made again: {found}.",) if found else ()
                with caches.workplace(final) as temp:
                    build(reader, temp, Wanted(size, channels, under, buckets), progress)
                if alone:
                    caches.sweep(final, origin)
                found = caches.load(final)
    if not isinstance(found, caches.Loaded):
        raise DataError(f"The cache in {final} cannot be read back ({found}). Is the disk sound?")
    return _store(reader.source, found, held_out, notes)


def _listing(reader: Reader) -> str:
    sha = hashlib.sha256()
    try:
        for line in reader.listing():
            sha.update(line.encode("utf-8", "surrogatepass") + b"\n")
    except OSError as error:
        raise DataError(f"{reader.source!r} {plain_reason(error)}.") from error
    return sha.hexdigest()


def _store(source: str, found: caches.Loaded, held_out: float, notes: tuple[str, ...]) -> PictureStore:
    manifest, images, arrays = found.manifest, found.images, found.arrays
    mask = held_out_mask(arrays["split.npy"], held_out, arrays.get("official.npy"))
    return PictureStore(
        images=images,
        labels=arrays.get("labels.npy"),
        classes=manifest.classes,
        names=manifest.names,
        captions=manifest.captions,
        held_out=np.flatnonzero(mask),
        train=np.flatnonzero(~mask),
        source=source,
        digest=manifest.digest,
        skipped=manifest.skipped,
        notes=(*manifest.notes, *notes),
        duplicates=manifest.duplicates,
        buckets=found.buckets,
    )


def _check(size: int | None, channels: int | None, held_out: float) -> None:
    if size is not None and not 1 <= size <= 4096:
        raise DataError(
            f"The size {size} is not a side in pixels. Give a number from 1 to 4096, for example 64."
        )
    if channels not in {None, 1, 3}:
        raise DataError(f"Pictures cannot have {channels} channels. Give 1 (grey) or 3 (colour).")
    if not 0 <= held_out < 1:
        raise DataError(f"The share to hold out, {held_out}, is not in 0 <= share < 1. The usual one is 0.1.")


def find_reader(source: str | Path, options: Options | None = None) -> Reader:
    """The reader that is meant by a source.

    Raises:
        DataError: there is no such source; the message names the nearest one.
    """
    from unfog.data import READERS

    text = os.path.expanduser(os.fspath(source))
    if not text:
        raise DataError("No data is named. Give a folder of pictures, or 'digits'.")
    if isinstance(source, Path) and not source.is_absolute() and source.exists():
        text = os.path.join(".", text)  # a path that exists is not the name of a set
    try:
        for kind in READERS.values():
            if kind.accepts(text):
                return kind(text, options or Options())
    except OSError as error:
        raise DataError(f"{text!r} {plain_reason(error)}.") from error
    raise DataError(_unknown(text))


def _unknown(text: str) -> str:
    from unfog.data import NAMED

    names = [name for name, known in NAMED.items() if known.kind == "pictures"]
    path = Path(text)
    parent = path.parent
    try:
        beside = {os.path.join(os.path.dirname(text), name): name for name in os.listdir(parent)}
    except OSError:
        beside = {}
    near = difflib.get_close_matches(text, [*names, *beside], n=1, cutoff=0.6)
    hint = f"Did you mean {near[0]!r}?" if near else f"Named sets are: {', '.join(names)}."
    if not parent.exists():
        hint = f"The folder {str(parent)!r} does not exist either. {hint}"
    return f"There is no folder, file or named set {text!r}. {hint}"


def _where(source: str) -> str:
    return str(Path(source).resolve()) if Path(source).exists() else source


def _short(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
