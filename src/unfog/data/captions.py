"""Captions: what texts a file or a cell holds for one picture, how they are cleaned, and what is counted.

A picture may have several captions, in several languages; a training step takes one of them. In a text file
beside a picture every line that is not empty is one caption, as in the sets of Flickr and COCO; a paragraph
without line breaks is one caption however long it is. In a table a cell is one caption, a list in a cell is
several, and there may be several columns.

Cleaning never changes words: Unicode's composed form (NFC), control characters and invisible marks away,
white space single. What is longer than ``LONGEST`` is cut there, and counted: nothing is cut without being
said.
"""

from __future__ import annotations

import codecs
import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LONGEST = 10_000
"""Characters of a caption that are kept: far more than a text encoder reads."""

MAX_FILE = 65_536
"""Bytes of a caption file that are read; a larger file is taken as one text, which is then cut."""

SHARED = 10
"""A caption at more pictures than this says little about any one of them."""

_INVISIBLE = (0x00AD, 0x200B, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SPACE = (*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000))  # control characters, half letters
_CLEAN: dict[int, str] = dict.fromkeys(_INVISIBLE, "") | dict.fromkeys(_SPACE, " ")

Captions = tuple[tuple[str, ...], ...]
"""The captions of each picture of a set; () where a picture has none."""


def clean(text: str) -> str:
    """A caption in one form: NFC, without control characters and invisible marks, white space single."""
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", text.translate(_CLEAN))
    return " ".join(text.split())


def in_file(raw: bytes) -> tuple[str, ...]:
    """The captions in a text file, one a line: UTF-8, or GB18030 where it is not UTF-8.

    Args:
        raw: the file, or its first ``MAX_FILE`` + 1 bytes.
    """
    cut = len(raw) > MAX_FILE
    text = raw[:MAX_FILE].decode("utf-8", "replace")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            # a letter that the cut parts is no sign of another encoding
            text = codecs.getincrementaldecoder(encoding)().decode(raw[:MAX_FILE], final=not cut)
            break
        except UnicodeDecodeError:
            continue
    if cut:
        return (clean(text),)
    lines = [clean(line) for line in text.splitlines()]
    return tuple(line for line in lines if line) or ("",)


def in_cell(cell: Any) -> tuple[str, ...]:
    """The captions in a cell of a table, '' for one that is there and empty.

    Args:
        cell: text; a list of texts, also written as JSON; a record {'raw': text}, {'text': text} or
            {'en': text, 'zh': text, ...}; or nothing (None, NaN).
    """
    if cell is None or cell != cell:
        return ()
    if isinstance(cell, dict):
        known = next((cell[name] for name in ("raw", "text") if cell.get(name)), None)
        return in_cell(list(cell.values()) if known is None else known)
    if isinstance(cell, str) and cell.startswith('["'):
        cell = _listed(cell)
    if isinstance(cell, (list, tuple)):
        return tuple(text for each in cell for text in in_cell(each))
    return (clean(str(cell)),)


def _listed(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


@dataclass
class Tally:
    """Cleans the captions of one picture after the other, and counts what happened to them.

    Attributes:
        empty: captions that were there and had no text.
        cut: captions longer than ``LONGEST``.
        twice: captions that stood at the same picture more than once.
    """

    empty: int = 0
    cut: int = 0
    twice: int = 0

    def tidy(self, captions: Sequence[str]) -> tuple[str, ...]:
        """The captions of one picture: cleaned, each once, none empty, none longer than ``LONGEST``."""
        kept: dict[str, None] = {}
        for caption in map(clean, captions):
            self.empty += not caption
            self.cut += len(caption) > LONGEST
            self.twice += caption[:LONGEST] in kept
            if caption:
                kept[caption[:LONGEST].rstrip()] = None
        return tuple(kept)

    def notes(self) -> tuple[str, ...]:
        """What the user should know, in sentences."""
        told = (
            (self.empty, "{} captions are empty and were left out."),
            (self.cut, f"{{}} captions are longer than {LONGEST:,} characters and were cut there."),
            (self.twice, "{} captions stand at their picture twice and were taken once."),
        )
        return tuple(sentence.format(f"{count:,}") for count, sentence in told if count)


def describe(captions: Captions) -> list[str]:
    """How many captions a set has, in a line or two."""
    without = sum(not own for own in captions)
    total = sum(map(len, captions))
    lines = [f"with a caption: {len(captions) - without:,} ({total:,} captions); without: {without:,}"]
    times = Counter(caption for own in captions for caption in own)
    if shared := sum(count > SHARED for count in times.values()):
        lines.append(f"different captions: {len(times):,}; at more than {SHARED} pictures each: {shared:,}")
    return lines
