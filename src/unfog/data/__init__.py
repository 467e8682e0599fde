"""Data from anywhere: the readers, the named sets, and two doors, ``open_pictures`` and ``open_corpus``."""

from unfog.data.archive import ArchiveReader
from unfog.data.corpus import Corpus, open_corpus
from unfog.data.document import Document, TextOptions, TextReader
from unfog.data.folder import FolderReader
from unfog.data.hub import HubReader
from unfog.data.idx import IdxReader
from unfog.data.named import NAMED, NamedReader, NamedSet, NamedTextReader, get, list_sets
from unfog.data.plain import PlainReader
from unfog.data.reader import Entry, Options, Reader
from unfog.data.store import PictureStore, open_pictures
from unfog.data.table import TableReader
from unfog.data.text_hub import TextHubReader
from unfog.data.text_table import TextTableReader

READERS: dict[str, type[Reader]] = {
    "named": NamedReader,
    "hub": HubReader,
    "idx": IdxReader,
    "table": TableReader,
    "archive": ArchiveReader,
    "folder": FolderReader,
}
"""Kinds of sources of pictures; the first that accepts a source reads it."""

TEXT_READERS: dict[str, type[TextReader]] = {
    "named": NamedTextReader,
    "hub": TextHubReader,
    "table": TextTableReader,
    "plain": PlainReader,
}
"""Kinds of sources of text; the first that accepts a source reads it."""

__all__ = [
    "NAMED",
    "READERS",
    "TEXT_READERS",
    "Corpus",
    "Document",
    "Entry",
    "NamedSet",
    "Options",
    "PictureStore",
    "Reader",
    "TextOptions",
    "TextReader",
    "get",
    "list_sets",
    "open_corpus",
    "open_pictures",
]
