"""Data sets of a hub through the library ``datasets``: 'hub:OWNER/NAME', '...:SPLIT', or what it saved to
disk.

No code that comes with a data set is ever run: ``trust_remote_code`` is not given, and its default is to
refuse.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from unfog.data.layout import split_of
from unfog.data.reader import Entry, Reader
from unfog.data.rows import Table
from unfog.data.table import Columns, find_columns, row_entry
from unfog.errors import DataError, MissingExtra

PREFIX = "hub:"
_SAVED = ("dataset_dict.json", "state.json")


@dataclass
class HubReader(Reader):
    """Pictures of a hub data set. Without a split, all are read; test and validation parts are held out."""

    @classmethod
    def accepts(cls, source: str) -> bool:
        """'hub:...', or a folder that ``datasets`` saved with ``save_to_disk``."""
        return source.startswith(PREFIX) or any((Path(source) / name).is_file() for name in _SAVED)

    @cached_property
    def _parts(self) -> dict[str, Any]:
        return load_parts(self.source)

    def _columns(self, part: Any) -> Columns:
        pictures = tuple(name for name, kind in part.features.items() if _is_picture(kind))
        table = Table(Path(self.source), tuple(part.features), (), pictures)
        return find_columns(table, self.options)

    def _root(self, library: Any) -> Path:
        """Where files named by path may lie: the folder given, or the library's own cache."""
        name = Path(split_name(self.source)[0])
        return name if name.is_dir() else Path(library.config.HF_CACHE_HOME)

    def listing(self) -> Iterator[str]:
        """The fingerprint that the library gives each split."""
        for name, part in self._parts.items():
            yield f"{name}\t{len(part)}\t{part._fingerprint}"

    def entries(self) -> Iterator[Entry]:
        """Every row, split after split."""
        library: Any = importlib.import_module("datasets")
        sides = {split_of(name) for name in self._parts}
        official = True in sides and False in sides
        for split, part in self._parts.items():
            columns = self._columns(part)
            names = tuple(getattr(part.features.get(columns.label), "names", None) or ())
            self.classes = self.classes or names or None
            rows = part.select_columns(columns.names())
            if _is_picture(part.features[columns.image]):
                # bytes as stored: this room decodes itself, with its own limits
                rows = rows.cast_column(columns.image, library.Image(decode=False))
            for index, row in enumerate(rows):
                entry = row_entry(f"{split}#{index}", row, columns, self._root(library), names)
                yield replace(entry, held=split_of(split)) if official else entry


def load_parts(source: str) -> dict[str, Any]:
    """The splits of a data set by name, training first.

    Args:
        source: 'hub:OWNER/NAME[:SPLIT]', or a folder that ``datasets`` saved.

    Raises:
        DataError: it cannot be loaded.
        MissingExtra: the library is not installed.
    """
    try:
        library: Any = importlib.import_module("datasets")
    except ImportError:
        raise MissingExtra("datasets", "hub") from None
    name, split = split_name(source)
    try:
        found = _load(library, name, split)
    except Exception as error:  # the library raises errors of many others
        raise DataError(
            f"The data set {name!r} cannot be loaded: {_first_line(error)}\n"
            "Check the name and the network; behind a firewall set HF_ENDPOINT to a mirror."
        ) from error
    parts = dict(found) if isinstance(found, dict) else {split or "train": found}
    return dict(sorted(parts.items(), key=lambda part: (split_of(part[0]) is True, part[0])))


def split_name(source: str) -> tuple[str, str | None]:
    """'hub:OWNER/NAME:SPLIT' -> ('OWNER/NAME', 'SPLIT'); the split may be missing.

    Raises:
        DataError: there is no name.
    """
    name, _, split = source.removeprefix(PREFIX).partition(":")
    if not re.fullmatch(r"[\w./\\~ -]+", name):
        raise DataError(f"{source!r} names no data set. Write hub:OWNER/NAME or hub:OWNER/NAME:SPLIT.")
    return name, split or None


def _load(library: Any, name: str, split: str | None) -> Any:
    if any((Path(name) / file).is_file() for file in _SAVED):
        found = library.load_from_disk(name)
        return found[split] if split else found
    return library.load_dataset(name, split=split)


def _is_picture(kind: Any) -> bool:
    return type(kind).__name__ == "Image"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
