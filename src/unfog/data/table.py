"""Pictures in tables: which column is the picture, which the class, which the text; and what a cell may hold.

A cell with a picture is bytes, a record {'bytes': ..., 'path': ...}, text 'data:image/...;base64,...', a
grid of numbers, or a path. A path starts from the table's folder (or ``Options.root``) and must stay
inside it: a table may come from someone else, and must not be able to name any file of this machine. Web
addresses are not fetched.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from unfog.data.captions import in_cell
from unfog.data.layout import PICTURE_SUFFIXES, ignored, split_of, suffix, top_names
from unfog.data.reader import Entry, Options, Payload, Reader, stamp
from unfog.data.rows import SUFFIXES, Row, Table, open_table
from unfog.errors import DataError

IMAGE = ("image", "img", "picture", "photo", "image_bytes", "bytes", "png", "jpg", "jpeg", "webp", "pixels")
FILE = ("file_name", "filename", "file", "image_path", "image_file", "path", "filepath", "file_path")
LABEL = ("label", "class", "category", "labels", "label_name", "class_name", "fine_label", "target")
CAPTION = ("text", "caption", "prompt", "captions", "description")
GROUP = ("group", "base", "subject", "patient")
SPLIT = ("split", "partition", "subset")

_LANGUAGES = "en|zh|ja|ko|de|fr|es|it|pt|ru|ar|hi|nl|pl|tr|vi|th|cs|sv|da|fi|uk|el|he|fa|ro|hu"
_FURTHER = re.compile(
    rf"(?:{'|'.join(CAPTION)})(?:_(?:{_LANGUAGES}|english|chinese)(?:[_-][a-z]{{2,4}})?|_?\d{{1,2}})"
)
"""Further columns of captions: text_zh, caption_en, caption_zh-hans, caption_1, caption2, ..."""


class LeftOut(Exception):
    """A cell that is no picture; the message is the reason."""


@dataclass(frozen=True)
class Columns:
    """Which column is what; None (no captions: ()) where there is none."""

    image: str
    label: str | None
    captions: tuple[str, ...]
    group: str | None
    split: str | None

    def names(self) -> list[str]:
        """The columns to read, each once."""
        every = (self.image, self.label, *self.captions, self.group, self.split)
        return list(dict.fromkeys(name for name in every if name))


def find_columns(table: Table, options: Options) -> Columns:
    """Decide the meaning of columns: as named in ``options``, else by type and by usual names.

    Raises:
        DataError: a named column does not exist, or no column looks like pictures.
    """

    def one_of(usual: Sequence[str]) -> str | None:
        return next((have[name] for name in usual if name in have), None)

    have = {name.lower(): name for name in reversed(table.columns)}
    image = _named(table, options.image) or _image_column(table, one_of)
    if image is None:
        raise DataError(
            f"No column of {table.path.name!r} looks like pictures; it has {', '.join(table.columns[:12])}.\n"
            "Name the column: --set data.image=NAME"
        )
    label = _named(table, options.label) or one_of(LABEL)
    captions = _named_captions(table, options.caption) or _usual_captions(have)
    return Columns(image, label, captions, one_of(GROUP), one_of(SPLIT))


def _named_captions(table: Table, given: str | None) -> tuple[str, ...]:
    """The columns that were named, with commas between; a column may have a comma in its own name."""
    names = [given] if given in table.columns else (given or "").split(",")
    found = (_named(table, name.strip()) for name in names if name and name.strip())
    return tuple(name for name in found if name)


def _usual_captions(have: dict[str, str]) -> tuple[str, ...]:
    """The first usual name that is there, and all usual names with a language or a number behind."""
    plain = next((name for name in CAPTION if name in have), None)
    return tuple(have[name] for name in reversed(have) if name == plain or _FURTHER.fullmatch(name))


def _named(table: Table, name: str | None) -> str | None:
    if name is None or name in table.columns:
        return name
    near = difflib.get_close_matches(name, table.columns, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(table.columns[:12])}."
    raise DataError(f"The table {table.path.name!r} has no column {name!r}. {hint}")


def _image_column(table: Table, one_of: Any) -> str | None:
    if table.pictures:
        usual = [name for name in table.pictures if name.lower() in IMAGE]
        return (usual or list(table.pictures))[0]
    if (found := one_of((*IMAGE, *FILE))) is not None:
        return str(found)
    for name in table.columns:
        if any(_looks_like_picture(row.get(name)) for row in table.sample):
            return name
    return None


def _looks_like_picture(cell: object) -> bool:
    return isinstance(cell, str) and (cell.startswith("data:image/") or suffix(cell) in PICTURE_SUFFIXES)


def payload_of(cell: Any, root: Path) -> Payload:
    """What a cell holds, ready to be decoded.

    Args:
        cell: see the top of the file.
        root: folder that paths start from and must stay in.

    Raises:
        LeftOut: it holds no picture.
    """
    if isinstance(cell, dict):
        raw, path = cell.get("bytes"), cell.get("path")
        if isinstance(raw, str):
            return _base64(raw)
        cell = raw if raw is not None else path
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return bytes(cell)
    if isinstance(cell, (list, np.ndarray)):
        return _grid(cell)
    if not isinstance(cell, str) or not cell.strip():
        raise LeftOut("empty cell" if cell in (None, "") else f"not a picture: a {type(cell).__name__}")
    if cell.startswith("data:"):
        return _base64(cell.partition(",")[2])
    if "://" in cell[:12]:
        raise LeftOut("a web address (unfog does not download pictures)")
    return inside(root, cell)


def inside(root: Path, name: str) -> Path:
    """A path of a table as a path of this machine.

    Raises:
        LeftOut: it leads out of ``root``.
    """
    # By name, not by resolving links: links in the folder are the user's own.
    base = os.path.abspath(root)
    path = os.path.normpath(os.path.join(base, name.strip().replace("\\", "/")))
    if "\0" in path or os.path.commonpath([base, path]) != base:
        raise LeftOut("its path leads out of the table's folder")
    return Path(path)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise LeftOut("damaged or incomplete: not base64") from None


def _grid(cell: Any) -> np.ndarray[Any, Any]:
    try:
        grid = np.asarray(cell)
    except ValueError:
        raise LeftOut("not a picture: rows of different lengths") from None
    if grid.dtype.kind in "iu" and grid.size and grid.min() >= 0 and grid.max() <= 255:
        grid = grid.astype(np.uint8)
    if grid.ndim not in {2, 3} or grid.dtype.kind not in "buif":
        raise LeftOut(f"not a picture: an array of shape {grid.shape}")
    return grid


def label_text(cell: Any, names: Sequence[str] = ()) -> str | None:
    """The class in a cell as text; None where there is none."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, int) and not isinstance(cell, bool) and 0 <= cell < len(names):
        return names[cell]
    if cell is None or isinstance(cell, (list, dict, bytes)) or cell != cell or cell == -1:
        return None
    return " ".join(str(cell).split()) or None


def row_entry(name: str, row: Row, columns: Columns, root: Path, names: Sequence[str] = ()) -> Entry:
    """One row as an entry.

    Args:
        name: what the entry is called.
        row: cells by column.
        columns: which column is what.
        root: folder that paths start from.
        names: names of numbered classes.
    """
    try:
        payload, reason = payload_of(row.get(columns.image), root), ""
    except LeftOut as error:
        payload, reason = None, str(error)
    return Entry(
        name,
        payload,
        label=label_text(row.get(columns.label or ""), names),
        captions=tuple(text for column in columns.captions for text in in_cell(row.get(column))),
        key=label_text(row.get(columns.group or "")) or "",
        held=split_of(str(row.get(columns.split or "") or "")),
        reason=reason,
    )


@dataclass
class TableReader(Reader):
    """A parquet, jsonl, csv or tsv file, or a folder of parquet files as hubs keep them."""

    @classmethod
    def accepts(cls, source: str) -> bool:
        """A file with the ending of a table, or a folder with parquet files in it or in data/, train/, ..."""
        path = Path(source)
        return path.suffix.lower() in SUFFIXES if path.is_file() else bool(parquets(path))

    @cached_property
    def _tables(self) -> list[Table]:
        path = Path(self.source)
        tables = [open_table(file) for file in ([path] if path.is_file() else parquets(path))]
        self.classes = _shared_classes(tables, self._columns(tables[0]).label)
        return tables

    def _columns(self, table: Table) -> Columns:
        return find_columns(table, self.options)

    @property
    def _root(self) -> Path:
        path = Path(self.source)
        return self.options.root or (path.parent if path.is_file() else path)

    def listing(self) -> Iterator[str]:
        """The files of the table, and every picture that it names by path."""
        for table in self._tables:
            yield stamp(table.path)
            if table.pictures or _holds_no_paths(table, self._columns(table).image):
                continue
            for entry in self._rows(table, None):
                if isinstance(entry.payload, Path) and entry.payload.is_file():
                    yield f"{entry.name}\t{stamp(entry.payload)}"

    def entries(self) -> Iterator[Entry]:
        """Every row, file after file."""
        sides = [side_of(table.path) for table in self._tables]
        official = True in sides and False in sides
        for table, side in zip(self._tables, sides, strict=True):
            yield from self._rows(table, side if official else None)

    def _rows(self, table: Table, held: bool | None) -> Iterator[Entry]:
        columns = self._columns(table)
        names = (table.class_names or {}).get(columns.label or "", ())
        for index, row in enumerate(table.rows(columns.names())):
            name = f"{table.path.name}#{index}"
            if row is None:
                yield Entry(name, reason="damaged line")
                continue
            entry = row_entry(name, row, columns, self._root, names)
            yield entry if held is None else replace(entry, held=held)


def _holds_no_paths(table: Table, column: str) -> bool:
    cells = [row.get(column) for row in table.sample]
    return bool(cells) and not any(
        isinstance(cell, dict) or (isinstance(cell, str) and not cell.startswith("data:")) for cell in cells
    )


def parquets(folder: Path) -> list[Path]:
    """Parquet files of a folder, training parts first; none when it is a folder of pictures with a
    metadata file.
    """
    top = top_names(folder)
    inner = [folder / name for name in top if name == "data" or split_of(name) is not None]
    found = [
        place / name for place in (folder, *inner) for name in (top if place is folder else top_names(place))
    ]
    kept = [path for path in found if path.suffix == ".parquet" and path.stem != "metadata"]
    return sorted(
        (path for path in kept if not ignored(path.name)), key=lambda path: (side_of(path) is True, str(path))
    )


def side_of(path: Path) -> bool | None:
    """The split that a file name like 'test-00000-of-00002.parquet' or its folder names."""
    side = split_of(path.stem.split("-")[0])
    return split_of(path.parent.name) if side is None else side


def _shared_classes(tables: Iterable[Table], label: str | None) -> tuple[str, ...] | None:
    named = {(table.class_names or {}).get(label or "") for table in tables} - {None}
    return next(iter(named)) if len(named) == 1 else None


def read_metadata(path: Path, options: Options) -> dict[str, Entry]:
    """What a file metadata.csv or metadata.jsonl beside pictures says of them, by their relative path.

    Args:
        path: the file.
        options: which column is the label and which the caption, where that is to be chosen.

    Raises:
        DataError: it has no column with file names.
    """
    table = open_table(path)
    names = next((name for name in FILE if name in table.columns), None)
    if names is None:
        raise DataError(f"{path.name!r} beside the pictures has no column 'file_name'.")
    columns = find_columns(table, replace(options, image=names))
    found: dict[str, Entry] = {}
    for row in table.rows(columns.names()):
        if row is not None and isinstance(row.get(names), str):
            name = str(row[names]).replace("\\", "/")
            found[name] = row_entry(name, row, columns, path.parent)
    return found
