"""A folder of generated pictures: one PNG per example, `index.jsonl`, `grid.png`.

A folder that already holds results is continued: numbers go on after the highest one, the index grows, and
the new sheet is called `grid-NUMBER.png` after its first picture. Nothing is ever overwritten, also not by
two processes at once.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unfog.atomic import atomic_write
from unfog.errors import OutputError
from unfog.output.provenance import Picture, Provenance, encode_png, write_picture
from unfog.output.sheet import contact_sheet

INDEX = "index.jsonl"
MAX_ON_SHEET = 400  # pictures on the sheet, without labels
MAX_PER_LABEL, MAX_LABELS = 16, 64
_MEMORY = 128 << 20  # bytes of pictures kept for the sheet


@dataclass(frozen=True)
class Saved:
    """What `save_pictures` wrote.

    Attributes:
        folder: where.
        files: one PNG per example, in order.
        index: `index.jsonl`.
        grid: the contact sheet.
    """

    folder: Path
    files: tuple[Path, ...]
    index: Path
    grid: Path


def save_pictures(
    folder: str | Path,
    images: Picture | Iterable[Picture],
    entries: Sequence[Provenance],
    progress: Callable[[int, int], None] | None = None,
) -> Saved:
    """Write pictures with their provenance, an index and a contact sheet.

    Args:
        folder: made if missing; continued if it holds results (see above).
        images: uint8 (N, H, W, C), or anything that yields N pictures (H, W, C), so that they need not all be
            in memory.
        entries: what made each picture. If all have a label, each label gets a row of the sheet.
        progress: called with (written, N).

    Returns:
        The paths of everything written.

    Raises:
        OutputError: numbers of pictures and entries differ, or something cannot be written; what was already
        written stays, each
            file complete, and the index lists it.
    """
    folder = Path(folder)
    if (isinstance(images, np.ndarray) and len(images) != len(entries)) or not entries:
        given = len(images) if isinstance(images, np.ndarray) else "some"
        raise OutputError(
            f"{given} pictures with {len(entries)} entries: give exactly one entry per picture."
        )
    first = _next_number(folder)
    files: list[Path] = []
    shown = _Shown()
    try:
        for picture, entry in _pairs(images, entries):
            name = picture_name(first + len(files), label=entry.label, prompt=entry.prompt)
            files.append(write_picture(folder / name, picture, entry, replace=False, durable=False))
            shown.add(np.asarray(picture), entry.label)
            if progress is not None:
                progress(len(files), len(entries))
    finally:
        if files:
            extend_index(folder, files, entries)
    grid = _write_grid(folder, first, shown, entries[0])
    return Saved(folder, tuple(files), folder / INDEX, grid)


def picture_name(number: int, *, label: str | None = None, prompt: str | None = None) -> str:
    """A file name such as `0007_label-3.png` that every system accepts; the number keeps it unique."""
    text = safe_name(label if label is not None else prompt or "")
    if not text:
        return f"{number:04d}.png"
    return f"{number:04d}_{'label-' if label is not None else ''}{text}.png"


def safe_name(text: str, longest: int = 80) -> str:
    """Letters and digits of any language, joined by hyphens, at most ``longest`` bytes; may be empty."""
    text = unicodedata.normalize("NFC", text[:1000])
    # marks belong to letters in many scripts (Devanagari, Thai); everything else that is no letter or digit
    # separates
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else "-" for c in text)
    kept = re.sub(r"-+", "-", kept).encode("utf-8", "ignore")[:longest].decode("utf-8", "ignore")
    return kept.strip("-")


def read_index(folder: str | Path) -> list[dict[str, Any]]:
    """The lines of a folder's `index.jsonl`; damaged lines are left out, a missing index is empty."""
    path = Path(folder) / INDEX
    if not path.is_file():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            lines.append(value)
    return lines


def _pairs(
    images: Picture | Iterable[Picture], entries: Sequence[Provenance]
) -> Iterable[tuple[Picture, Provenance]]:
    count = 0
    for picture in images:
        if count == len(entries):
            raise OutputError(f"More pictures than the {len(entries)} entries: give one entry per picture.")
        yield picture, entries[count]
        count += 1
    if count < len(entries):
        raise OutputError(f"{count} pictures with {len(entries)} entries: give one entry per picture.")


def _next_number(folder: Path) -> int:
    """One more than the highest number in use, by files or by the index; 0 in a new folder."""
    if not folder.is_dir():
        return 0
    names = [item.name for item in folder.iterdir()] + [
        str(line.get("file", "")) for line in read_index(folder)
    ]
    numbers = [
        int(match[1]) for name in names if (match := re.fullmatch(r"(\d{4,9})(_.*)?\.png", name, re.DOTALL))
    ]
    return max(numbers, default=-1) + 1


def extend_index(folder: Path, files: Sequence[Path], entries: Sequence[Provenance]) -> None:
    """Append a line to ``index.jsonl`` for each file: what made it."""
    path = folder / INDEX
    old = path.read_bytes() if path.is_file() else b""
    if old and not old.endswith(b"\n"):
        old += b"\n"
    lines = [_index_line(file.name, entry) for file, entry in zip(files, entries, strict=False)]
    # half a surrogate pair, which no UTF-8 can hold, becomes a JSON escape
    atomic_write(path, old + "".join(lines).encode("utf-8", "backslashreplace"))


def _index_line(name: str, entry: Provenance) -> str:
    asked = {key: value for key in ("label", "prompt") if (value := getattr(entry, key)) is not None}
    line = {"file": name, **asked, "seed": entry.seed, "index": entry.index, "settings": entry.settings}
    line |= {"batch_first": entry.batch_first, "batch_size": entry.batch_size, "model": entry.model}
    return json.dumps(line, ensure_ascii=False) + "\n"


class _Shown:
    """The pictures for the sheet: the first ones, or the first ones of each label."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.labels: list[str | None] = []
        self.count: Counter[str | None] = Counter()
        self.bytes = 0

    def add(self, picture: Picture, label: str | None) -> None:
        full = self.count[label] >= (MAX_ON_SHEET if label is None else MAX_PER_LABEL)
        crowded = label not in self.count and len(self.count) >= MAX_LABELS
        other = bool(self.pictures) and picture.shape != self.pictures[0].shape
        if full or crowded or other or self.bytes > _MEMORY:
            return
        self.pictures.append(picture)
        self.labels.append(label)
        self.count[label] += 1
        self.bytes += picture.nbytes

    def sheet(self) -> Picture:
        pictures = np.stack([picture.reshape(*picture.shape[:2], -1) for picture in self.pictures])
        # with about one picture per label, rows of one would be a tower
        if None in self.labels or not 1 < len(self.count) <= len(pictures) / 2:
            return contact_sheet(pictures)
        order = sorted((label for label in self.count if label is not None), key=_natural)
        rows = [order.index(label) for label in self.labels if label is not None]
        return contact_sheet(pictures, labels=rows)


def _write_grid(folder: Path, first: int, shown: _Shown, entry: Provenance) -> Path:
    path = folder / "grid.png"
    if first or path.exists():
        path = folder / f"grid-{first:04d}.png"
    return atomic_write(path, encode_png(shown.sheet(), replace(entry, kind="grid")), replace=False)


def _natural(label: str) -> tuple[Any, ...]:
    """Sort key that puts "10" after "9"."""
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", label)
    )
