"""Text inside picture files: put it in when writing, take it out of files that may be anything.

Nothing is decoded and nothing is decompressed: unfog writes its texts uncompressed, so the reader walks the
blocks of a file, skips pixels and compressed texts, and keeps at most `MAX_TOTAL` bytes. A decompression bomb
has nothing to blow up.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from unfog.errors import DataError
from unfog.output.marks import XMP_KEYWORD

MAX_TEXT = 1 << 20  # bytes of one text
MAX_TOTAL = 4 << 20  # bytes of all texts of a file
MAX_BLOCKS = 100_000  # blocks of a file, pixels included

_PNG = b"\x89PNG\r\n\x1a\n"
_GIF_XMP = b"XMP DataXMP"
# the "magic trailer" of the XMP specification, part 3: whatever byte a reader that knows only sub-blocks
# lands on, it gets out
_GIF_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"


@dataclass
class Texts:
    """What a file says about itself.

    Attributes:
        format: "png" (also animated), "webp", "gif", or "" for anything else.
        named: texts of PNG chunks by keyword; of several with one keyword, the first.
        xmp: the XMP packet, or None.
    """

    format: str = ""
    named: dict[str, str] = field(default_factory=dict)
    xmp: str | None = None
    _kept: int = 0

    def keep(self, keyword: str, content: bytes, encoding: str = "utf-8") -> None:
        """Keep one text unless the limits are reached or the keyword is taken."""
        if len(content) > MAX_TEXT or self._kept + len(content) > MAX_TOTAL:
            return
        self._kept += len(content)
        text = content.decode(encoding, "replace")
        if keyword == XMP_KEYWORD:
            self.xmp = text if self.xmp is None else self.xmp
        else:
            self.named.setdefault(keyword, text)


def read_texts(path: str | Path) -> Texts:
    """The texts in a PNG, WebP or GIF file. Damaged files give what was found before the damage.

    Raises:
        DataError: the file cannot be opened or read.
    """
    path = Path(path)
    texts = Texts()
    try:
        if not path.is_file():
            raise DataError(f"{path} is not a file. Give the path of a generated picture or film.")
        with path.open("rb") as file:
            start = file.read(12)
            if start.startswith(_PNG):
                texts.format = "png"
                file.seek(8)
                _read_png(file, texts)
            elif start[:4] == b"RIFF" and start[8:] == b"WEBP":
                texts.format = "webp"
                _read_webp(file, texts)
            elif start[:6] in (b"GIF87a", b"GIF89a"):
                texts.format = "gif"
                file.seek(10)
                _read_gif(file, texts)
    except OSError as error:
        raise DataError(
            f"Cannot read {path}: {error.strerror or error}. Check the path and its rights."
        ) from error
    except ValueError as error:  # a NUL in the path
        raise DataError(f"Cannot read {str(path)!r}: {error}. Check the path.") from error
    return texts


def png_texts(texts: Mapping[str, str], xmp: bytes) -> list[tuple[bytes, bytes]]:
    """PNG chunks (type, content) for the texts: XMP first, then tEXt where Latin-1 suffices, else iTXt."""
    chunks = [(b"iTXt", XMP_KEYWORD.encode() + b"\x00\x00\x00\x00\x00" + xmp)]
    for keyword, text in texts.items():
        clean = text.replace("\x00", " ")
        try:
            chunks.append((b"tEXt", keyword.encode("latin-1") + b"\x00" + clean.encode("latin-1")))
        except UnicodeEncodeError:
            content = clean.encode("utf-8", "replace")
            chunks.append((b"iTXt", keyword.encode("latin-1") + b"\x00\x00\x00\x00\x00" + content))
    return chunks


def insert_png(data: bytes, chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Put chunks right after the header of a PNG file, where readers find them before any pixel."""
    header = len(_PNG) + 12 + 13  # the IHDR chunk has 13 bytes of content and is always the first
    extra = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return data[:header] + extra + data[header:]


def insert_gif(data: bytes, xmp: bytes) -> bytes:
    """Put an XMP packet into a GIF file, before the first picture; extensions make it version 89a."""
    start = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)  # header, then the common palette
    extension = b"\x21\xff\x0b" + _GIF_XMP + xmp + _GIF_TRAILER
    return b"GIF89a" + data[6:start] + extension + data[start:]


def _read_png(file: BinaryIO, texts: Texts) -> None:
    for _ in range(MAX_BLOCKS):
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND" or length > 0x7FFFFFFF:
            return
        if kind not in (b"tEXt", b"iTXt") or length > MAX_TEXT:
            file.seek(length + 4, 1)
            continue
        content, check = file.read(length), file.read(4)
        if len(content) < length or check != struct.pack(">I", zlib.crc32(kind + content)):
            continue
        keyword, found, rest = content.partition(b"\x00")
        if not found or not 0 < len(keyword) < 80:
            continue
        if kind == b"iTXt":
            if not rest.startswith(b"\x00"):  # compressed: not ours
                continue
            parts = rest[2:].split(b"\x00", 2)  # language, translated keyword, text
            if len(parts) == 3:
                texts.keep(keyword.decode("latin-1"), parts[2])
        else:
            texts.keep(keyword.decode("latin-1"), rest, "latin-1")


def _read_webp(file: BinaryIO, texts: Texts) -> None:
    for _ in range(MAX_BLOCKS):
        head = file.read(8)
        if len(head) < 8:
            return
        kind, length = struct.unpack("<4sI", head)
        if kind == b"XMP " and length <= MAX_TEXT:
            texts.keep(XMP_KEYWORD, file.read(length))
            return
        file.seek(length + length % 2, 1)


def _read_gif(file: BinaryIO, texts: Texts) -> None:
    _skip_palette(file, file.read(3)[:1])
    for _ in range(MAX_BLOCKS):
        kind = file.read(1)
        if kind == b"\x21":
            label = file.read(1)
            size = file.read(1)
            name = file.read(size[0]) if size else b""
            if label == b"\xff" and name == _GIF_XMP:
                content = file.read(MAX_TEXT)
                packet, found, _ = content.partition(_GIF_TRAILER)
                if found:
                    texts.keep(XMP_KEYWORD, packet)
                return
            if name:
                _skip_blocks(file)
        elif kind == b"\x2c":
            descriptor = file.read(9)
            _skip_palette(file, descriptor[8:])
            file.read(1)
            _skip_blocks(file)
        else:
            return


def _skip_palette(file: BinaryIO, flags: bytes) -> None:
    if flags and flags[0] & 0x80:
        file.seek(3 << ((flags[0] & 7) + 1), 1)


def _skip_blocks(file: BinaryIO) -> None:
    for size in _sizes(file):
        file.seek(size, 1)


def _sizes(file: BinaryIO) -> Iterator[int]:
    for _ in range(MAX_BLOCKS * 100):
        size = file.read(1)
        if not size or size == b"\x00":
            return
        yield size[0]
