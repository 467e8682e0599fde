"""Pictures from anywhere, decoded once: the readers, the named sets, and the door ``open_pictures``."""

from unfog.data.archive import ArchiveReader
from unfog.data.folder import FolderReader
from unfog.data.hub import HubReader
from unfog.data.idx import IdxReader
from unfog.data.named import NAMED, NamedReader, NamedSet, get, list_sets
from unfog.data.reader import Entry, Options, Reader
from unfog.data.store import PictureStore, open_pictures
from unfog.data.table import TableReader

READERS: dict[str, type[Reader]] = {
    "named": NamedReader,
    "hub": HubReader,
    "idx": IdxReader,
    "table": TableReader,
    "archive": ArchiveReader,
    "folder": FolderReader,
}
"""Kinds of sources; the first that accepts a source reads it."""

__all__ = [
    "NAMED",
    "READERS",
    "Entry",
    "NamedSet",
    "Options",
    "PictureStore",
    "Reader",
    "get",
    "list_sets",
    "open_pictures",
]
