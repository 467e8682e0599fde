"""Texts in tables (jsonl, json, csv, tsv, parquet): which column is text, target, class, group."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unfog.data.document import Document, TextOptions, TextReader
from unfog.data.layout import ignored, split_of, suffix, top_names
from unfog.data.plain import PLAIN, LeftOut, decode_text
from unfog.data.rows import SUFFIXES, Row, Table, csv_rows, open_table
from unfog.data.table import label_text, parquets, side_of
from unfog.errors import DataError

TEXT = (
    "text",
    "content",
    "document",
    "article",
    "body",
    "source",
    "input",
    "paragraphs",
    "sentence",
    "story",
)
TARGET = (
    "target",
    "summary",
    "highlights",
    "synopsis",
    "headline",
    "output",
    "completion",
    "answer",
    "response",
)
LABEL = ("label", "class", "category", "genre", "label_name", "class_name")
GROUP = ("group", "base", "source_id", "doc_id", "document_id")
TABLES = SUFFIXES | {".json"}
SPLIT = ("split", "partition", "subset")


@dataclass(frozen=True)
class TextColumns:
    """Which column is what; None where there is none."""

    text: str
    target: str | None
    label: str | None
    group: str | None
    split: str | None

    def names(self) -> list[str]:
        """The columns to read, each once."""
        return list(dict.fromkeys(name for name in vars(self).values() if name))


def find_text_columns(
    where: str, columns: Sequence[str], sample: Sequence[Row], options: TextOptions
) -> TextColumns:
    """Decide the meaning of columns: as named in ``options``, else by usual names.

    Args:
        where: name of the table, for messages.
        columns: names, in order.
        sample: a few rows: a lone column of text needs no usual name.
        options: the user's choice.

    Raises:
        DataError: a named column does not exist, or no column looks like text.
    """

    def one_of(named: str | None, usual: Sequence[str]) -> str | None:
        if named is None:
            return next((have[name] for name in usual if name in have), None)
        if named in columns or not named:
            return named or None
        near = difflib.get_close_matches(named, columns, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(columns[:12])}."
        raise DataError(f"The table {where!r} has no column {named!r}. {hint}")

    have = {name.lower(): name for name in reversed(columns)}
    text = one_of(options.text, TEXT)
    if text is None:
        wordy = [name for name in columns if any(isinstance(row.get(name), str) for row in sample)]
        text = wordy[0] if len(wordy) == 1 else None
    if text is None:
        raise DataError(
            f"No column of {where!r} is surely the text; it has {', '.join(columns[:12])}.\n"
            "Name the column: --set data.text=NAME"
        )
    target, label = one_of(options.target, TARGET), one_of(options.label, LABEL)
    group, split = one_of(options.group, GROUP), one_of(None, SPLIT)
    found = (target, label, group, split)
    return TextColumns(text, *(None if name == text else name for name in found))


def cell_text(cell: Any) -> str | None:
    """The text in a cell; a list of texts is its lines; None where the cell holds something else."""
    if isinstance(cell, (list, tuple)) and all(isinstance(part, str) for part in cell):
        cell = "\n".join(cell)
    return cell.replace("\r\n", "\n").replace("\r", "\n").strip("\n") if isinstance(cell, str) else None


def row_document(name: str, row: Row, columns: TextColumns, names: Sequence[str] = ()) -> Document:
    """One row as a document.

    Args:
        name: what the document is called.
        row: cells by column.
        columns: which column is what.
        names: names of numbered classes.
    """
    text = cell_text(row.get(columns.text))
    target = cell_text(row.get(columns.target)) if columns.target else None
    reason = "not a text: the cell is empty or holds no text" if not text or not text.strip() else ""
    if not reason and columns.target and not (target and target.strip()):
        reason = "without a target: the cell is empty or holds no text"
    return Document(
        name,
        text or "",
        target,
        label=label_text(row.get(columns.label or ""), names),
        group=label_text(row.get(columns.group or "")) or "",
        held=split_of(str(row.get(columns.split or "") or "")),
        reason=reason,
    )


@dataclass
class TextTableReader(TextReader):
    """A jsonl, json, csv, tsv or parquet file, or a folder of them as hubs keep them."""

    @classmethod
    def accepts(cls, source: str) -> bool:
        """A file with the ending of a table, or a folder of such files without any of plain text."""
        path = Path(source)
        return path.suffix.lower() in TABLES if path.is_file() else bool(tables(path))

    def documents(self) -> Iterator[Document]:
        """Every row, file after file."""
        path = Path(self.source)
        files = [path] if path.is_file() else tables(path)
        self.total = sum(file.stat().st_size for file in files)
        sides = [side_of(file) for file in files]
        official = True in sides and False in sides
        for file, side in zip(files, sides, strict=True):
            for found in self._parquet(file) if file.suffix.lower() == ".parquet" else self._text(file):
                yield replace(found, held=side) if official else found
            self.done += file.stat().st_size

    def _parquet(self, file: Path) -> Iterator[Document]:
        table = open_table(file)
        sample = [dict.fromkeys(wordy(table), "")]
        columns = find_text_columns(file.name, table.columns, sample, self.options)
        names = (table.class_names or {}).get(columns.label or "", ())
        self.classes = self.classes or names or None
        for index, row in enumerate(table.rows(columns.names())):
            yield row_document(f"{file.name}#{index}", row or {}, columns, names)

    def _text(self, file: Path) -> Iterator[Document]:
        raw = file.read_bytes()
        lines = file.suffix.lower() not in {".csv", ".tsv"}
        try:
            rows = json_rows(raw, self.options.encoding) if lines else _csv(file, raw, self.options.encoding)
        except LeftOut as reason:
            raise DataError(
                f"The table {file.name!r} cannot be read: {reason}.\n"
                "If that is its encoding, name it: --set data.encoding=gb18030 (or another)."
            ) from None
        sound = [row for row in rows if isinstance(row, dict)]
        if not sound:
            raise DataError(f"The table {file.name!r} has no rows that can be read.")
        names = tuple(dict.fromkeys(name for row in sound[:20] for name in row))
        columns = find_text_columns(file.name, names, sound[:20], self.options)
        for index, row in enumerate(rows):
            name = f"{file.name}#{index}"
            yield Document(name, reason=row) if isinstance(row, str) else row_document(name, row, columns)


def tables(folder: Path) -> list[Path]:
    """The tables of a folder, training parts first: parquet files, else others; none beside plain text."""
    if found := parquets(folder):
        return found
    names = [name for name in top_names(folder) if not ignored(name)]
    if any(suffix(name) in PLAIN and not name.lower().startswith(("readme", "licen")) for name in names):
        return []
    kept = [folder / name for name in names if suffix(name) in TABLES]
    return sorted(kept, key=lambda path: (side_of(path) is True, path.name))


def wordy(table: Table) -> list[str]:
    """Columns of a parquet file that hold text by their type."""
    import pyarrow.parquet as parquet

    schema = parquet.read_schema(table.path)
    return [field.name for field in schema if str(field.type) in {"string", "large_string", "string_view"}]


def json_rows(raw: bytes, encoding: str = "auto") -> list[Row | str]:
    """Lines of a jsonl file as records; for a damaged line, why it is left out. One JSON list is as good.

    Args:
        raw: the file.
        encoding: see ``decode_text``.
    """
    if encoding != "auto" or raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raw = decode_text(raw, encoding).encode()
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") and (whole := _json_list(raw)) is not None:
        return whole
    rows: list[Row | str] = []
    start = len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0
    for line in raw[start:].split(b"\n"):
        if line.strip():
            rows.append(_json_row(line, start))
        start += len(line) + 1
    return rows


def _json_list(raw: bytes) -> list[Row | str] | None:
    """The records of a file that is one JSON list; None if it is not."""
    try:
        found = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return [row if isinstance(row, dict) else "damaged line: not a JSON record" for row in found]


def _json_row(line: bytes, start: int) -> Row | str:
    try:
        row = json.loads(line.decode())
    except UnicodeDecodeError as error:
        place = start + error.start
        return f"damaged line: not UTF-8, byte 0x{line[error.start]:02X} at offset {place:,}"
    except (ValueError, RecursionError):
        return "damaged line: not JSON"
    return row if isinstance(row, dict) else "damaged line: not a JSON record"


def _csv(file: Path, raw: bytes, encoding: str) -> list[Row | str]:
    before = csv.field_size_limit(max(len(raw), 1))  # a text may be longer than what csv allows by itself
    try:
        text = io.StringIO(decode_text(raw, encoding))
        return ["damaged line: more cells than columns" if row is None else row for row in csv_rows(text)]
    except csv.Error as error:
        raise DataError(f"The table {file.name!r} cannot be read: {error}.") from None
    finally:
        csv.field_size_limit(before)
