"""Plain text files: one, or a folder of them. A document is a file, or what blank lines part, or a line.

Text is UTF-8, with or without a byte order mark; UTF-16 with one is read too. Any other encoding has to be
named: the same bytes are sound text in several, and a wrong guess would teach a model nonsense.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unfog.data.document import CUTS, Document, TextReader
from unfog.data.layout import Layout, Parts, ignored, split_of, suffix
from unfog.data.reader import plain_reason, readable
from unfog.errors import ConfigError, DataError

PLAIN = frozenset({".txt", ".md", ".markdown", ".rst", ".text", ".tex", ".org", ".adoc", ".srt", ".log"})
"""Endings of plain text that are read from a folder; a file that is given alone may have any."""

NOT_TEXT = "not a text file"
_BLANK = re.compile(r"\n(?:[ \t\u3000]*\n)+")


class LeftOut(Exception):
    """Bytes that are no text; the message is the reason."""


def decode_text(raw: bytes, encoding: str = "auto") -> str:
    """Bytes as text, with line feeds alone at line ends, and no byte order mark.

    Args:
        raw: the whole file.
        encoding: a name that Python knows, or 'auto': UTF-8, or UTF-16 with a byte order mark.

    Raises:
        LeftOut: it is binary, or of another encoding; the message holds the byte offset.
        ConfigError: there is no such encoding.
    """
    if encoding == "auto":
        wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        encoding = "utf-16" if wide else "utf-8-sig"
        if not wide and (zero := raw.find(b"\0")) >= 0:
            raise LeftOut(f"binary file: a zero byte at offset {zero:,}")
    try:
        text = raw.decode(encoding)
    except LookupError:
        raise ConfigError(
            f"There is no encoding {encoding!r}. Known ones are utf-8, gb18030, big5, ..."
        ) from None
    except UnicodeDecodeError as error:
        # the decoder of UTF-8 with a mark counts from behind the mark
        start = error.start + (3 if error.encoding == "utf-8" and raw.startswith(codecs.BOM_UTF8) else 0)
        name = "UTF-8" if encoding == "utf-8-sig" else encoding
        raise LeftOut(f"not {name}: byte 0x{raw[start]:02X} at offset {start:,}{_maybe(raw)}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _maybe(raw: bytes) -> str:
    """Which other encoding the bytes would be sound in; only a hint."""
    for name in ("gb18030", "big5"):
        try:
            text = raw.decode(name)
        except UnicodeDecodeError:
            continue
        if sum("\u4e00" <= each <= "\u9fff" for each in text[:10_000]) * 4 > min(len(text), 10_000):
            return f" (it may be {name})"
    return ""


def cut_text(text: str, cut: str) -> list[str]:
    """A file's text as documents; empty ones are dropped.

    Args:
        text: the text.
        cut: 'file', 'blank' or 'line'.
    """
    parts = [text] if cut == "file" else _BLANK.split(text) if cut == "blank" else text.split("\n")
    trimmed = (part.strip("\n").rstrip() for part in parts)
    return [part for part in trimmed if part.strip("\ufeff \t\u3000")]


@dataclass
class PlainReader(TextReader):
    """A text file, or all text files below a folder; class = first subfolder, as with pictures."""

    @classmethod
    def accepts(cls, source: str) -> bool:
        """A folder, or a file that nothing else wants."""
        return Path(source).exists()

    def documents(self) -> Iterator[Document]:
        """File by file in the order of their names; then what was left out.

        Raises:
            DataError: the only file there is cannot be read as text.
        """
        if self.options.cut not in CUTS:
            raise ConfigError(f"Text cannot be cut by {self.options.cut!r}. Choose from: {', '.join(CUTS)}.")
        root = Path(self.source)
        files, other = text_files(root) if root.is_dir() else ([((root.name,), root)], [])
        self.total = sum(path.stat().st_size for _, path in files)
        layout = Layout.of(parts for parts, _ in files)
        cut = self.options.cut if self.options.cut != "auto" else "blank" if len(files) == 1 else "file"
        for parts, path in files:
            name = "/".join(map(readable, parts))
            try:
                raw = path.read_bytes()
                self.done += len(raw)
                found = cut_text(decode_text(raw, self.options.encoding), cut)
            except (LeftOut, OSError) as error:
                reason = plain_reason(error) if isinstance(error, OSError) else str(error)
                if not root.is_dir():
                    raise DataError(_alone(name, reason)) from None
                yield Document(name, reason=reason)
                continue
            if not found:
                yield Document(name, reason="empty file")
            label = layout.label(parts)
            label = None if label is None else readable(label)
            for index, text in enumerate(found):
                place = name if cut == "file" else f"{name}#{index}"
                group = name if len(files) > 1 else ""
                yield Document(place, text, label=label, group=group, held=layout.held(parts))
        for name, reason in other:
            yield Document(name, reason=reason)


def _alone(name: str, reason: str) -> str:
    hint = "Name its encoding: --set data.encoding=gb18030 (or another)."
    if reason.startswith("binary"):
        hint = "Give text: .txt, .md, .jsonl, .csv, .parquet."
    return f"The file {name!r} is no text that can be read: {reason}.\n{hint}"


def text_files(root: Path) -> tuple[list[tuple[Parts, Path]], list[tuple[str, str]]]:
    """Text files below a folder, and (name, reason) of all else; both sorted.

    Links to folders are followed, each real folder is read once, so loops end.
    """
    files: list[tuple[Parts, Path]] = []
    other: list[tuple[str, str]] = []
    seen: set[str] = set()

    def closed(error: OSError) -> None:
        other.append((readable(os.path.relpath(error.filename, root)) + "/", plain_reason(error)))

    for folder, below, names in os.walk(root, followlinks=True, onerror=closed):
        real = os.path.realpath(folder)
        below[:] = sorted(name for name in below if not ignored(name) and real not in seen)
        parts = () if folder == str(root) else Path(folder).relative_to(root).parts
        for name in sorted(names) if real not in seen else ():
            path = Path(folder, name)
            if ignored(name):
                continue
            if suffix(name) in PLAIN and path.is_file():
                files.append(((*parts, name), path))
            else:
                other.append(("/".join(map(readable, (*parts, name))), NOT_TEXT))
        seen.add(real)
    # an official training part comes first, so that what is in both parts is dropped from the test
    return sorted(files, key=lambda file: (split_of(file[0][0]) is True, file[0])), sorted(other)
