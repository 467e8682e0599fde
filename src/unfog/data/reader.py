"""What a reader is: it names the pictures of a source, one after the other, and decodes none of them.

A reader is gone through twice: once for the headers (which size, which channels) and once for the pixels. So
``entries`` may be called again and gives the same entries in the same order, and holds one payload at a time:
a source larger than memory streams.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Payload = bytes | Path | np.ndarray[Any, Any]
"""A picture before decoding: the bytes of a file, the path of one, or an array (H, W) or (H, W, C)."""

NOT_A_PICTURE = "not a picture"
TOO_LARGE = "file larger than 512 MB"
MAX_FILE = 512 * 1024 * 1024
"""Largest file that is read into memory, in bytes: more than any camera writes, less than a zip bomb."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One input: a picture that may be decoded, or (``reason`` set) one that is left out, and why.

    Attributes:
        name: where it came from, unique within the source ('cats/1.png', 'a.zip!cats/1.png', 't.parquet#17').
        payload: the picture, None when it is left out.
        label: name of its class, None when it has none.
        captions: texts that go with it, in any languages; () when there is none. They are cleaned later.
        key: pictures of one key fall on the same side of the held-out split; '' means its own name.
        held: True or False where the source has an official split, None where unfog makes one.
        reason: why it is left out; text before a ':' groups the summary.
    """

    name: str
    payload: Payload | None = None
    label: str | None = None
    captions: tuple[str, ...] = ()
    key: str = ""
    held: bool | None = None
    reason: str = ""


@dataclass
class Reader(ABC):
    """A source of pictures. Subclasses: one per kind of source, listed in ``unfog.data.READERS``.

    Attributes:
        source: what the user gave.
        options: how to read it.
        classes: the class names in the order the source defines, None to take them from the labels.
        notes: sentences the user should see.
    """

    source: str
    options: Options = field(default_factory=lambda: Options())
    classes: tuple[str, ...] | None = None
    notes: list[str] = field(default_factory=list)

    @classmethod
    @abstractmethod
    def accepts(cls, source: str) -> bool:
        """Whether this kind of reader is meant by ``source``; looks at no more than a name and a folder."""

    @abstractmethod
    def listing(self) -> Iterator[str]:
        """Lines that change whenever the pictures may have changed: names, sizes, times. Cheap."""

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """All inputs, in the same order on every call."""


@dataclass(frozen=True)
class Options:
    """How a source is read, where the guess is not what you want.

    Attributes:
        image: name of the column with the pictures (tables and hub data sets).
        label: name of the column with the class.
        caption: name of the column with the text, or several with commas between.
        root: folder that paths in a table start from; the table's own folder when not given. Paths that lead
            out of it are refused, since a table may come from someone else.
        cache: folder of the cache, where named sets were put.
    """

    image: str | None = None
    label: str | None = None
    caption: str | None = None
    root: Path | None = None
    cache: Path | None = None


def stamp(path: Path) -> str:
    """Name, size and time of a file as one line for ``Reader.listing``."""
    found = path.stat()
    return f"{path.name}\t{found.st_size}\t{found.st_mtime_ns}"


def readable(name: str) -> str:
    """A file name as text that can always be written as UTF-8 (bytes that are not become U+FFFD)."""
    return os.fsencode(name).decode("utf-8", "replace")


def plain_reason(error: BaseException) -> str:
    """The cause of an OSError without the path, which is named elsewhere."""
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"cannot be read: {error}"
