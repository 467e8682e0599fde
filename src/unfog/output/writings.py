"""A folder of generated texts: one file each, and ``index.jsonl``; nothing is ever overwritten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unfog.atomic import atomic_write
from unfog.output.manuscript import manuscript
from unfog.output.pictures import INDEX, extend_index, read_index
from unfog.output.provenance import Provenance


@dataclass(frozen=True)
class SavedTexts:
    """What ``save_texts`` wrote.

    Attributes:
        folder: where.
        files: one text file per example, in order.
        index: ``index.jsonl``.
    """

    folder: Path
    files: tuple[Path, ...]
    index: Path


def save_texts(folder: str | Path, texts: Sequence[str], entries: Sequence[Provenance]) -> SavedTexts:
    """Write texts with what made them.

    Args:
        folder: made if missing; where it holds texts, numbers go on after the highest one.
        texts: what was written.
        entries: what made each.

    Raises:
        OutputError: if something cannot be written; what was written stays, and the index lists it.
    """
    folder = Path(folder)
    first, files = _next_number(folder), list[Path]()
    try:
        for text, entry in zip(texts, entries, strict=True):
            path = folder / f"{first + len(files):04d}.txt"
            files.append(atomic_write(path, manuscript([text], entry), replace=False))
    finally:
        if files:
            extend_index(folder, files, entries)
    return SavedTexts(folder, tuple(files), folder / INDEX)


def _next_number(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    names = [path.name for path in folder.iterdir()] + [
        str(row.get("file", "")) for row in read_index(folder)
    ]
    return max((int(m[1]) for name in names if (m := re.fullmatch(r"(\d{4,9})\.txt", name))), default=-1) + 1
