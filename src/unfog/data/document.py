"""What a reader of texts is: it hands out the documents of a source, one after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CUTS = ("auto", "file", "blank", "line")
"""How a file of plain text becomes documents (``TextOptions.cut``)."""


@dataclass(frozen=True, slots=True)
class Document:
    """One text, or (``reason`` set) an input that is left out, and why.

    Attributes:
        name: where it came from ('notes/a.txt', 'a.txt#3', 'pairs.jsonl#17').
        text: the text; the source of a pair.
        target: what shall be written from it (a summary, a headline); None when it has none.
        label: name of its class, None when it has none.
        group: documents of one group fall on the same side of the held-out split; '' means it stands alone.
        held: True or False where the source has an official split, None where unfog makes one.
        reason: why it is left out; text before a ':' groups the summary.
    """

    name: str
    text: str = ""
    target: str | None = None
    label: str | None = None
    group: str = ""
    held: bool | None = None
    reason: str = ""


@dataclass(frozen=True)
class TextOptions:
    """How a source of texts is read, where the guess is not what you want.

    Attributes:
        text: name of the column with the text (tables and hub data sets).
        target: name of the column with the target; here and below '' means that there is none.
        label: name of the column with the class.
        group: name of the column with the group.
        cut: what is a document in plain text: 'file', 'blank' (blank lines part documents), 'line', or
            'auto': a file is one document in a folder, and a file given alone is parted at blank lines.
        encoding: of plain text and csv; 'auto' is UTF-8, or UTF-16 with a byte order mark.
        cache: folder of the cache, where named sets were put.
    """

    text: str | None = None
    target: str | None = None
    label: str | None = None
    group: str | None = None
    cut: str = "auto"
    encoding: str = "auto"
    cache: Path | None = None


@dataclass
class TextReader(ABC):
    """A source of texts. Subclasses: one per kind of source, listed in ``unfog.data.TEXT_READERS``.

    Attributes:
        source: what the user gave.
        options: how to read it.
        classes: the class names in the order the source defines, None to take them from the labels.
        done, total: bytes read and bytes there are, while ``documents`` runs; 0 where that is not known.
    """

    source: str
    options: TextOptions = field(default_factory=TextOptions)
    classes: tuple[str, ...] | None = None
    done: int = 0
    total: int = 0

    @classmethod
    @abstractmethod
    def accepts(cls, source: str) -> bool:
        """Whether this kind of reader is meant by ``source``; looks at no more than a name and a folder."""

    @abstractmethod
    def documents(self) -> Iterator[Document]:
        """All documents and all that is left out, in the same order on every call.

        Raises:
            DataError: the source as a whole cannot be read.
        """
