"""Table files as rows: parquet, jsonl, csv. What the columns mean is decided in ``table``."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from unfog.errors import DataError, MissingExtra

Row = dict[str, Any]

SUFFIXES = frozenset({".parquet", ".jsonl", ".ndjson", ".csv", ".tsv"})
_BATCH = 32


@dataclass(frozen=True)
class Table:
    """An opened table.

    Attributes:
        path: the file.
        columns: names, in order.
        sample: the first rows, to guess the meaning of columns from (empty for parquet, which has types).
        pictures: columns that by their type hold pictures (bytes, or a record with bytes).
        class_names: names of numbered classes, by column, where the file defines them.
    """

    path: Path
    columns: tuple[str, ...]
    sample: tuple[Row, ...] = ()
    pictures: tuple[str, ...] = ()
    class_names: dict[str, tuple[str, ...]] | None = None

    def rows(self, columns: Sequence[str]) -> Iterator[Row | None]:
        """All rows in order, a few in memory at a time; None for a row that cannot be read.

        Raises:
            DataError: the file is damaged as a whole.
        """
        if self.path.suffix.lower() == ".parquet":
            return _parquet_rows(self.path, columns)
        return _text_rows(self.path)


def open_table(path: Path) -> Table:
    """Read the head of a table.

    Raises:
        DataError: it is not a table, is damaged or has no rows.
        MissingExtra: parquet without pyarrow.
    """
    if path.suffix.lower() == ".parquet":
        return _open_parquet(path)
    first = tuple(row for row in itertools.islice(_text_rows(path), 20) if row is not None)
    if not first:
        raise DataError(f"The table {path.name!r} has no rows that can be read.")
    return Table(path, tuple(dict.fromkeys(itertools.chain.from_iterable(first))), first)


def encoding_of(path: Path) -> str:
    """'utf-8-sig' where the start of the file is UTF-8, otherwise 'gb18030'."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
    try:
        head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not merely a letter cut in two
            return "gb18030"
    return "utf-8-sig"


def _text_rows(path: Path) -> Iterator[Row | None]:
    try:
        with path.open(encoding=encoding_of(path), errors="replace", newline="") as file:
            yield from _json_rows(file) if path.suffix.lower() in {".jsonl", ".ndjson"} else csv_rows(file)
    except (OSError, csv.Error) as error:
        raise DataError(f"The table {path.name!r} cannot be read: {error}") from error


def _json_rows(file: TextIO) -> Iterator[Row | None]:
    for line in file:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        yield row if isinstance(row, dict) else None


def csv_rows(file: TextIO) -> Iterator[Row | None]:
    """Rows of a csv file with any usual comma; None for a row that is longer than the header."""
    head = file.readline()
    file.seek(0)
    comma = max(",;\t|", key=head.count)
    for row in csv.DictReader(file, delimiter=comma):
        # a row longer than the header has its rest under None
        yield None if None in row else row


def _open_parquet(path: Path) -> Table:
    parquet = _pyarrow()
    import pyarrow as pa

    try:
        with parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
    except (OSError, ValueError) as error:
        raise DataError(
            f"The table {path.name!r} is not a sound parquet file: {_first_line(error)}"
        ) from error
    pictures = tuple(field.name for field in schema if _holds_bytes(pa, field.type))
    return Table(path, tuple(schema.names), (), pictures, _class_names(schema.metadata or {}))


def _holds_bytes(pa: Any, kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """Names of classes as the library datasets writes them into a parquet file."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {
            name: tuple(map(str, kind["names"]))
            for name, kind in features.items()
            if isinstance(kind, dict) and kind.get("_type") == "ClassLabel"
        }
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def _parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[Row | None]:
    parquet = _pyarrow()
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH, columns=list(columns)):
                yield from batch.to_pylist()
    except (OSError, ValueError) as error:
        raise DataError(f"The table {path.name!r} is damaged: {_first_line(error)}") from error


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise MissingExtra("pyarrow", "tables") from None
    return parquet


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
