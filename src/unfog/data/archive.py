"""Pictures in a zip or tar archive, read in place: nothing is unpacked, so no path leads anywhere."""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unfog.data import captions as told
from unfog.data.layout import OTHER_SUFFIXES, Layout, Parts, ignored, likely, suffix
from unfog.data.reader import MAX_FILE, NOT_A_PICTURE, TOO_LARGE, Entry, Reader, stamp
from unfog.errors import DataError

SUFFIXES = frozenset({".zip", ".cbz", ".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".gz", ".bz2", ".xz"})
UNSUPPORTED = frozenset({".7z", ".rar", ".zst", ".lz4", ".lzma", ".iso", ".cab", ".cbr"})
LARGEST_RATIO, LARGEST_FREE = 1000, 1 << 30
"""An archive that unpacks to over 1 GiB and over 1,000 times its own size is a bomb, not pictures."""

_UNIX = 3
_DAMAGE = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, OSError)


@dataclass(frozen=True)
class Member:
    """One file of an archive: its path in parts, its content or why it has none."""

    parts: Parts
    content: bytes | None
    reason: str = ""

    @property
    def name(self) -> str:
        """Its path in the archive."""
        return "/".join(self.parts)


@dataclass
class ArchiveReader(Reader):
    """Pictures in an archive. Folders that hold everything are passed over, then class = first folder."""

    @classmethod
    def accepts(cls, source: str) -> bool:
        """A file with the ending of an archive."""
        path = Path(source)
        return path.is_file() and path.suffix.lower() in SUFFIXES | UNSUPPORTED

    def listing(self) -> Iterator[str]:
        """The archive file itself."""
        yield stamp(Path(self.source))

    @cached_property
    def _index(self) -> tuple[Layout, dict[Parts, tuple[str, ...]]]:
        """Folders and captions, from a first pass over the names."""
        paths: list[Parts] = []
        captions: dict[Parts, tuple[str, ...]] = {}
        for member in self._members(captions_only=True):
            if member.content is not None and suffix(member.parts[-1]) == ".txt":
                captions[_stem(member.parts)] = told.in_file(member.content)
            elif not member.reason:
                paths.append(member.parts)
        return Layout.of(likely(paths), unwrap=True), captions

    def entries(self) -> Iterator[Entry]:
        """Every file in the order of the archive."""
        layout, captions = self._index
        stems = set()
        for member in self._members():
            name = f"{Path(self.source).name}!{member.name}"
            if member.reason or member.content is None:
                yield Entry(name, reason=member.reason)
                continue
            stems.add(_stem(member.parts))
            yield Entry(
                name,
                member.content,
                label=layout.label(member.parts),
                captions=captions.get(_stem(member.parts), ()),
                key=member.name,
                held=layout.held(member.parts),
            )
        for stem in captions:
            if stem not in stems:
                yield Entry(f"{Path(self.source).name}!{'/'.join(stem)}.txt", reason=NOT_A_PICTURE)

    def _members(self, *, captions_only: bool = False) -> Iterator[Member]:
        path = Path(self.source)
        if path.suffix.lower() in UNSUPPORTED:
            raise DataError(
                f"Archives like {path.name!r} are not read. Unpack it, or make a .zip or .tar of it."
            )
        try:
            if _is_zip(path):
                yield from _zip_members(path, captions_only)
            else:
                yield from _tar_members(path, captions_only)
        except _DAMAGE as error:
            raise DataError(f"{path.name!r} is not a sound zip or tar archive: {error}") from error


def _is_zip(path: Path) -> bool:
    # not zipfile.is_zipfile: it also takes a tar whose last file is a zip
    with path.open("rb") as file:
        return file.read(2) == b"PK" or path.suffix.lower() in {".zip", ".cbz"}


def _stem(parts: Parts) -> Parts:
    return (*parts[:-1], Path(parts[-1]).stem)


def _sort(parts: Parts, captions_only: bool) -> str | None:
    """What to do with a file of this name.

    Returns:
        'read', 'name' (only its name counts now), or the reason to leave it out; None if it is not to be
        counted.
    """
    if not parts or any(ignored(part) for part in parts if part != ".."):
        return None
    if ".." in parts or parts[0].endswith(":"):
        return "its path leads out of the archive"
    if suffix(parts[-1]) == ".txt":
        return "read" if captions_only else None
    if suffix(parts[-1]) in OTHER_SUFFIXES:
        return NOT_A_PICTURE
    return "name" if captions_only else "read"


def _parts(name: str) -> Parts:
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in {"", "."})


def _zip_members(path: Path, captions_only: bool) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        _check_ratio(sum(info.file_size for info in members), path)
        for info in members:
            parts = _parts(_zip_name(info))
            todo = _sort(parts, captions_only)
            if todo is None:
                continue
            if todo not in {"read", "name"}:
                yield Member(parts, None, todo)
            elif info.flag_bits & 1:
                yield Member(parts, None, "encrypted")
            elif stat.S_ISLNK(info.external_attr >> 16):
                yield Member(parts, None, "a link inside the archive")
            elif info.file_size > MAX_FILE:
                yield Member(parts, None, TOO_LARGE)
            elif todo == "name":
                yield Member(parts, None)
            else:
                yield _zip_content(archive, info, parts, told.MAX_FILE + 1 if captions_only else MAX_FILE)


def _zip_content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, parts: Parts, most: int) -> Member:
    try:
        with archive.open(info) as file:
            return Member(parts, file.read(most))
    except (*_DAMAGE, NotImplementedError, RuntimeError) as error:
        return Member(parts, None, f"damaged or incomplete: {error}")


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name of a zip member; one without a stated coding (UTF-8 of Unix, GBK of Windows) is put right."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    try:
        raw = info.filename.encode("cp437")  # zipfile took the bytes for this
        text = raw.decode("utf-8")
    except UnicodeEncodeError:
        return info.filename
    except UnicodeDecodeError:
        text = ""
    # Two bytes of GBK can pass for one letter of UTF-8; three bytes for one Chinese sign hardly do.
    if text and (info.create_system == _UNIX or max(text) > "\u07ff"):
        return text
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return text or info.filename


def _tar_members(path: Path, captions_only: bool) -> Iterator[Member]:
    total = end = 0
    with tarfile.open(path, "r|*", bufsize=1 << 20) as archive:
        while True:
            try:
                info = archive.next()
            except _DAMAGE as error:
                yield Member((path.name,), None, f"the archive ends early: {error}")
                return
            if info is None:
                # tarfile takes a stream that stops for one that ends; a whole one has a mark of 512 zeros
                if getattr(archive.fileobj, "pos", end + 512) < end + 512:
                    yield Member((path.name,), None, "the archive ends early")
                return
            end = info.offset_data + -(-info.size // 512) * 512
            archive.members = []  # type: ignore[attr-defined]  # a stream needs no list of what is behind it
            total += info.size
            _check_ratio(total, path)
            parts = _parts(info.name)
            todo = None if info.isdir() else _sort(parts, captions_only)
            if todo is None:
                continue
            if todo not in {"read", "name"}:
                yield Member(parts, None, todo)
            elif not info.isreg():
                yield Member(
                    parts,
                    None,
                    "a link inside the archive" if info.islnk() or info.issym() else NOT_A_PICTURE,
                )
            elif info.size > MAX_FILE:
                yield Member(parts, None, TOO_LARGE)
            elif todo == "name":
                yield Member(parts, None)
            else:
                yield _tar_content(archive, info, parts, told.MAX_FILE + 1 if captions_only else MAX_FILE)


def _tar_content(archive: tarfile.TarFile, info: tarfile.TarInfo, parts: Parts, most: int) -> Member:
    try:
        file = archive.extractfile(info)
        content = file.read(most) if file else b""
    except _DAMAGE as error:
        return Member(parts, None, f"damaged or incomplete: {error}")
    if len(content) < min(info.size, most):
        return Member(parts, None, "damaged or incomplete: the archive ends early")
    return Member(parts, content)


def _check_ratio(total: int, path: Path) -> None:
    if total > LARGEST_FREE and total > LARGEST_RATIO * path.stat().st_size:
        raise DataError(
            f"{path.name!r} claims to hold {total / 2**30:,.1f} GB in {path.stat().st_size:,} bytes: "
            "that is a bomb, not pictures. It was not read."
        )
