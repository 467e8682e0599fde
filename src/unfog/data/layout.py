"""What the folders around a picture mean: its class, its side of an official split, or nothing at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

IGNORED = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "__pycache__"})
"""Names that systems leave beside pictures; like hidden files they are passed over and not counted."""

OTHER_SUFFIXES = frozenset(
    {
        *(".txt", ".md", ".rst", ".json", ".jsonl", ".csv", ".tsv", ".xml", ".html", ".htm", ".yaml", ".yml"),
        *(".toml", ".ini", ".log", ".py", ".ipynb", ".pdf", ".doc", ".docx", ".svg", ".db", ".lock", ".npy"),
        *(".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".parquet", ".arrow", ".npz", ".pkl", ".pt"),
        *(".safetensors", ".mp4", ".mov", ".avi", ".mkv", ".webm", ".mp3", ".wav"),
    }
)
"""Endings that are known not to be pictures; anything else is opened, whatever its ending."""

PICTURE_SUFFIXES = frozenset(
    {
        *(
            ".png",
            ".jpg",
            ".jpeg",
            ".jfif",
            ".webp",
            ".gif",
            ".bmp",
            ".tif",
            ".tiff",
            ".avif",
            ".jp2",
            ".ppm",
        ),
        *(".pgm", ".pbm", ".qoi", ".ico", ".pcx", ".psd", ".sgi", ".mpo", ".apng"),
    }
)
"""Endings that pictures usually have; used only to guess, never to refuse."""

TRAIN = frozenset({"train", "training"})
HELD = frozenset({"test", "testing", "val", "valid", "validation", "dev", "eval", "held_out", "held-out"})

Parts = tuple[str, ...]


def ignored(part: str) -> bool:
    """Whether a file or folder name is the system's, not the user's."""
    return part.startswith(".") or part.lower() in IGNORED


def suffix(name: str) -> str:
    """The ending of a file name in small letters, with its dot; '' when there is none."""
    stem, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot and stem else ""


def likely(paths: Iterable[Parts]) -> list[Parts]:
    """The paths that have the ending of a picture, or all if none has: only these say what folders mean."""
    every = list(paths)
    return [path for path in every if suffix(path[-1]) in PICTURE_SUFFIXES] or every


def top_names(folder: Path, most: int = 4096) -> list[str]:
    """Names in a folder, sorted; none when it is no folder or holds more than ``most``.

    Folders of tables or idx files hold few; millions of pictures are not gone through to find that out.
    """
    if not folder.is_dir():
        return []
    with os.scandir(folder) as listed:
        names = [item.name for item in islice(listed, most + 1)]
    return sorted(names) if len(names) <= most else []


def split_of(name: str) -> bool | None:
    """True for the name of a held-out part, False for that of a training part, None for any other."""
    word = name.lower()
    return True if word in HELD else False if word in TRAIN else None


@dataclass(frozen=True)
class Layout:
    """How the folders of one source are read.

    Attributes:
        skip: leading folders that wrap everything and mean nothing.
        split: the next level is train/, or train/ and test/ (val/, ...), not a class.
        official: both sides are there, so they are the split.
    """

    skip: int = 0
    split: bool = False
    official: bool = False

    @classmethod
    def of(cls, paths: Iterable[Parts], *, unwrap: bool = False) -> Layout:
        """Read the folders of all pictures at once.

        Args:
            paths: folders and file name of each picture.
            unwrap: drop folders that hold everything (archives are mostly made from one folder).
        """
        folders = {path[:-1] for path in paths}
        skip = _common(folders) if unwrap and folders else 0
        sides = {split_of(path[skip]) if len(path) > skip else None for path in folders}
        split = None not in sides and False in sides
        return cls(skip, split, split and True in sides)

    def label(self, path: Parts) -> str | None:
        """The class of a picture: its first meaningful folder, None when it lies in none."""
        rest = path[self.skip + self.split : -1]
        return rest[0] if rest else None

    def held(self, path: Parts) -> bool | None:
        """Its side of the split that the folders make; None when they make none."""
        return split_of(path[self.skip]) if self.official else None


def _common(folders: set[Parts]) -> int:
    depth = 0
    shortest = min(len(path) for path in folders)
    while depth < shortest and len({path[depth] for path in folders}) == 1:
        depth += 1
    return depth


def natural(names: Iterable[str]) -> tuple[str, ...]:
    """Sorted so that class '10' comes after '9'."""
    return tuple(sorted(names, key=lambda name: [_part(part) for part in re.split(r"(\d+)", name)]))


def _part(text: str) -> tuple[int, int, str]:
    return (0, int(text), text) if text.isascii() and text.isdigit() else (1, 0, text)
