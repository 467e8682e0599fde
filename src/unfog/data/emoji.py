"""3,391 shaded emoji, 256 x 256 with transparency, with English and Chinese captions, from two npm packages.

Kept as a plain folder of pictures: class = group of emoji, captions in metadata.csv, whose column
``group`` names the emoji without skin tone, gender and direction; variants of one emoji so fall on one
side of the held-out split.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unfog.data.cache import save_bytes
from unfog.data.fetch import Progress, only_file, run_client, verify
from unfog.errors import DataError

ART, ART_SHA = (
    "@lobehub/fluent-emoji-3d@1.1.0",
    "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58",
)
WORDS, WORDS_SHA = "emojibase-data@17.0.0", "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a"
VERSION = "1.1.0"
BYTES = 15_792_027 + 6_711_091
PICTURES = "pictures"

_ELSEWHERE = "npm comes with Node.js: https://nodejs.org."
_SKIN = {f"1f3f{digit}" for digit in "bcdef"}
_DROPPED = {"fe0f", "e007f", "200d", "2640", "2642", "27a1", *_SKIN}
_SAME = {  # man, woman -> person; boy, girl -> child; ...
    **dict.fromkeys(("1f468", "1f469"), "1f9d1"),
    **dict.fromkeys(("1f466", "1f467"), "1f9d2"),
    **dict.fromkeys(("1f474", "1f475"), "1f9d3"),
    **dict.fromkeys(("1f934", "1f478"), "1fac5"),
    **dict.fromkeys(("1f46b", "1f46c", "1f46d"), "1f9d1-1f91d-1f9d1"),
    **dict.fromkeys(("1f385", "1f936"), "1f9d1-1f384"),
    "1f57a": "1f483",
    "1f48f": "1f9d1-2764-1f48b-1f9d1",
    "1f491": "1f9d1-2764-1f9d1",
}


@dataclass(frozen=True)
class Told:
    """What is known of one emoji: caption in English and in Chinese, group, and the key of its variants."""

    english: str
    chinese: str
    group: str
    base: str


def code(hexcode: str) -> str:
    """A hexcode in the form in which both packages agree: small letters, '-', no variation selectors."""
    parts = re.split(r"[-_]", hexcode.lower())
    return "-".join(part.lstrip("0") for part in parts if part not in {"fe0f", "e007f"})


def base_of(hexcode: str) -> str:
    """The emoji that this one is a variant of: no skin tone, gender, direction; any family is the family.

    Single letters such as the female sign stay what they are.
    """
    parts = code(hexcode).split("-")
    kept = [_SAME.get(part, part) for part in parts if part not in _DROPPED] or parts
    people = set("-".join(kept).split("-"))
    if kept == ["1f46a"] or ("1f9d2" in people and people <= {"1f9d1", "1f9d2"} and len(kept) > 1):
        return "1f46a"
    return "-".join(kept)


def tell(english: list[Any], chinese: list[Any], groups: dict[str, str]) -> dict[str, Told]:
    """Combine emojibase's English and Chinese data.

    Args:
        english: en/data.json.
        chinese: zh/data.json.
        groups: names of the groups by number, from meta/groups.json.

    Returns:
        What is known of each emoji, by its ``code``.
    """
    other = {code(emoji["hexcode"]): emoji["label"] for emoji, _ in _with_skins(chinese)}
    told: dict[str, Told] = {}
    for emoji, base in _with_skins(english):
        key = code(emoji["hexcode"])
        group = groups.get(str(base.get("group")), "component")
        told[key] = Told(emoji["label"], other.get(key, ""), group, base_of(key))
    return told


def _with_skins(data: list[Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for base in data:
        yield base, base
        for skin in base.get("skins", []):
            yield skin, base


def fetch_emoji(folder: Path, progress: Progress | None = None) -> None:
    """Get both packages with npm, verify them, and lay the pictures out.

    Args:
        folder: an empty folder.
        progress: called with (bytes here, bytes in all).

    Raises:
        DataError: npm is missing or fails, or brought other files.
    """
    for package in (ART, WORDS):
        command = ["npm", "pack", package, "--ignore-scripts"]
        run_client(command, folder, elsewhere=_ELSEWHERE, progress=progress, total=BYTES)
    art, words = only_file(folder, "lobehub-*.tgz"), only_file(folder, "emojibase-*.tgz")
    verify(art, ART_SHA)
    verify(words, WORDS_SHA)
    lay_out(art, words, folder)
    art.unlink()
    words.unlink()


def lay_out(art: Path, words: Path, folder: Path) -> None:
    """Write pictures/GROUP/CODE.webp and pictures/metadata.csv from the two packages.

    File names are made here from checked codes, never taken from the archive.

    Raises:
        DataError: a package cannot be read.
    """
    wanted = ("en/data.json", "zh/data.json", "meta/groups.json")
    found = {name: json.loads(raw) for name, raw in _members(words) if name in wanted}
    if len(found) < len(wanted):
        raise DataError(f"{words.name!r} does not hold {', '.join(set(wanted) - set(found))}.")
    told = tell(found[wanted[0]], found[wanted[1]], found[wanted[2]]["groups"])
    lines: list[tuple[str, str, str, str]] = []
    for name, raw in _members(art):
        match = re.fullmatch(r"assets/([0-9a-f_-]{2,80})\.webp", name)
        if not match:
            continue
        about = told.get(code(match[1])) or Told("", "", "component", base_of(match[1]))
        file = f"{about.group}/{match[1]}.webp"
        (folder / PICTURES / about.group).mkdir(parents=True, exist_ok=True)
        (folder / PICTURES / file).write_bytes(raw)
        lines.append((file, about.english, about.chinese, about.base))
    text = io.StringIO()
    csv.writer(text).writerows([("file_name", "text", "text_zh", "group"), *sorted(lines)])
    save_bytes(folder / PICTURES / "metadata.csv", text.getvalue().encode())


def _members(package: Path) -> Iterator[tuple[str, bytes]]:
    """Files of an npm package by their path in it."""
    try:
        with tarfile.open(package, "r:gz") as archive:
            for info in archive:
                file = archive.extractfile(info) if info.isreg() else None
                if file is not None:
                    yield info.name.partition("/")[2], file.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{package.name!r} is damaged ({error}). Try again.") from error
