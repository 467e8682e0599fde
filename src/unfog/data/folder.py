"""A folder of pictures (or one picture): class = first subfolder, text beside a picture = its captions."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unfog.data import captions
from unfog.data.layout import OTHER_SUFFIXES, Layout, Parts, ignored, likely, suffix
from unfog.data.reader import NOT_A_PICTURE, Entry, Reader, plain_reason, readable, stamp
from unfog.data.table import read_metadata

METADATA = ("metadata.jsonl", "metadata.csv")
"""Tables beside the pictures, as the library datasets knows them: file_name, text, label, group, split."""


@dataclass(frozen=True)
class Found:
    """What lies in a folder tree.

    Attributes:
        pictures: folders and name, path, size in bytes, time in ns; sorted by name.
        captions: path of the text file beside a picture, by the picture's parts without its ending.
        left_out: (name, reason) of what can't be a picture.
    """

    pictures: list[tuple[Parts, Path, int, int]]
    captions: dict[Parts, Path]
    left_out: list[tuple[str, str]]


@dataclass
class FolderReader(Reader):
    """Pictures below a folder. Links are followed, each real folder is read once, so loops end."""

    @classmethod
    def accepts(cls, source: str) -> bool:
        """A folder, or a single file that is not an archive or a table."""
        return Path(source).exists()

    @cached_property
    def _found(self) -> Found:
        return walk(Path(self.source))

    @cached_property
    def _layout(self) -> Layout:
        return Layout.of(likely(parts for parts, *_ in self._found.pictures))

    @cached_property
    def _metadata(self) -> dict[str, Entry]:
        path = self._metadata_file
        return {} if path is None else read_metadata(path, self.options)

    @property
    def _metadata_file(self) -> Path | None:
        paths = (Path(self.source) / name for name in METADATA)
        return next((path for path in paths if path.is_file()), None)

    def listing(self) -> Iterator[str]:
        """Name, size and time of every picture, caption and metadata file."""
        if self._metadata_file:
            yield f"metadata\t{stamp(self._metadata_file)}"
        for parts, _, size, when in self._found.pictures:
            yield "\t".join([*parts, str(size), str(when)])
        for parts, path in self._found.captions.items():
            found = path.stat()
            yield "\t".join(["caption", *parts, str(found.st_size), str(found.st_mtime_ns)])

    def entries(self) -> Iterator[Entry]:
        """Every picture by name; then what was left out."""
        nothing = Entry("")
        for parts, path, _, _ in self._found.pictures:
            name = "/".join(map(readable, parts))
            told = self._metadata.get(name, nothing)
            beside = self._found.captions.get((*parts[:-1], Path(parts[-1]).stem))
            yield Entry(
                name=name,
                payload=path,
                label=_readable_or_none(self._layout.label(parts)) if told.label is None else told.label,
                captions=_captions(beside) if beside else told.captions,
                key=told.key,
                held=self._layout.held(parts) if told.held is None else told.held,
            )
        for name, reason in self._found.left_out:
            yield Entry(name, reason=reason)


def walk(root: Path) -> Found:
    """List a folder tree without opening any file.

    Args:
        root: a folder, or one file.
    """
    if not root.is_dir():
        info = root.stat()
        return Found([((root.name,), root, info.st_size, info.st_mtime_ns)], {}, [])
    pictures: list[tuple[Parts, Path, int, int]] = []
    texts: dict[Parts, Path] = {}
    left_out: list[tuple[str, str]] = []
    seen: set[tuple[int, int]] = set()
    # Real folders first, links after: a folder is then known by its own name, not by a link's.
    folders: list[tuple[Parts, Path]] = [((), root)]
    links: list[tuple[Parts, Path]] = []
    while folders or links:
        parts, folder = folders.pop() if folders else links.pop(0)
        try:
            info = folder.stat()
            if (info.st_dev, info.st_ino) in seen:
                left_out.append((_name(parts) + "/", "link to a folder that is read already"))
                continue
            seen.add((info.st_dev, info.st_ino))
            with os.scandir(folder) as listed:
                inside = sorted(listed, key=lambda item: item.name)
        except OSError as error:
            left_out.append((_name(parts) + "/", plain_reason(error)))
            continue
        for item in inside:
            if ignored(item.name):
                continue
            here = (*parts, item.name)
            try:
                info = item.stat()
            except OSError as error:
                left_out.append((_name(here), f"broken link: {error.strerror}"))
                continue
            if stat.S_ISDIR(info.st_mode):
                (links if item.is_symlink() else folders).append((here, Path(item.path)))
            elif not stat.S_ISREG(info.st_mode):
                left_out.append((_name(here), "not a regular file"))  # opening a pipe would wait for ever
            elif suffix(item.name) == ".txt":
                texts[(*parts, Path(item.name).stem)] = Path(item.path)
            elif not parts and item.name in METADATA:
                continue
            elif suffix(item.name) in OTHER_SUFFIXES:
                left_out.append((_name(here), NOT_A_PICTURE))
            else:
                pictures.append((here, Path(item.path), info.st_size, info.st_mtime_ns))
    return _sorted(pictures, texts, left_out)


def _sorted(
    pictures: list[tuple[Parts, Path, int, int]], texts: dict[Parts, Path], left_out: list[tuple[str, str]]
) -> Found:
    stems = {(*parts[:-1], Path(parts[-1]).stem) for parts, *_ in pictures}
    captions = {stem: path for stem, path in sorted(texts.items()) if stem in stems}
    left_out += [
        (_name((*stem[:-1], path.name)), NOT_A_PICTURE) for stem, path in texts.items() if stem not in stems
    ]
    return Found(sorted(pictures), captions, sorted(left_out))


def _captions(path: Path) -> tuple[str, ...]:
    try:
        with path.open("rb") as file:
            return captions.in_file(file.read(captions.MAX_FILE + 1))
    except OSError:
        return ()


def _name(parts: Parts) -> str:
    return "/".join(map(readable, parts)) or "."


def _readable_or_none(name: str | None) -> str | None:
    return None if name is None else readable(name)
