"""The door for text: ``open_corpus`` turns any source into a ``Corpus`` of documents.

Equal documents are kept once: what stands twice in the training text is learned by heart, and what stands in
both parts of the split makes the held-out figures a lie. For the same reason the split is by document, and
where the source names groups (packages of one project, versions of one poem) by group.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unfog.data.document import Document, TextOptions, TextReader
from unfog.data.layout import natural
from unfog.data.plain import NOT_TEXT
from unfog.data.reader import plain_reason
from unfog.data.split import group, held_out_mask
from unfog.data.store import listed
from unfog.errors import DataError

Progress = Callable[[int, int], None]

LONG = 2_000
"""Characters from which a lone document is cut in two, so that a part can be held out."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """Documents, checked and split.

    Attributes:
        source: what the user gave.
        texts: N documents; the sources, where there are targets.
        targets: what shall be written from each, N texts; None when the source has none.
        labels: int64 (N,), index into ``classes``, -1 where a document has none; None without classes.
        classes: class names; empty when there are none.
        names: where each document came from.
        train: int64 indices of the documents to learn from, ascending.
        held_out: int64 indices that training must not see, ascending.
        digest: sha256 (hex) of texts, targets, labels and classes.
        duplicates: documents that were dropped because an equal one came before.
        skipped: (name, reason) of every input that was left out.
        notes: sentences the user should see.
    """

    source: str
    texts: Sequence[str]
    targets: Sequence[str] | None
    labels: NDArray[np.int64] | None
    classes: tuple[str, ...]
    names: tuple[str, ...]
    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    digest: str
    duplicates: int = 0
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def characters(self) -> int:
        """Characters in all texts and targets."""
        return sum(map(len, self.texts)) + sum(map(len, self.targets or ()))

    def counts(self) -> dict[str, int]:
        """Documents of each class, in the order of ``classes``."""
        if self.labels is None:
            return {}
        return {name: int((self.labels == index).sum()) for index, name in enumerate(self.classes)}

    def reasons(self) -> dict[str, int]:
        """Inputs left out, counted by reason, most frequent first."""
        return dict(Counter(reason.partition(":")[0] for _, reason in self.skipped).most_common())

    def summary(self) -> str:
        """The corpus in plain words, a few lines."""
        middle = int(np.median([len(text) for text in self.texts]))
        kind = ("document" if self.targets is None else "pair") + ("" if len(self) == 1 else "s")
        kind += "" if self.targets is None else " of text and target"
        lines = [f"{len(self):,} {kind}, {self.characters:,} characters, from {self.source}"]
        lines.append(
            f"length of a text: {middle:,} characters in the middle, {max(map(len, self.texts)):,} at most"
        )
        if self.labels is not None:
            lines.append(f"classes: {listed(self.counts())}")
            if unlabelled := int((self.labels < 0).sum()):
                lines.append(f"without a class: {unlabelled:,}")
        lines.append(f"held out: {len(self.held_out):,} (training never sees them)")
        if self.duplicates:
            lines.append(f"exact duplicates dropped: {self.duplicates:,}")
        if self.skipped:
            lines.append(f"left out: {len(self.skipped):,} ({listed(self.reasons(), count_first=True)})")
        return "\n".join([*lines, *self.notes])


def open_corpus(
    source: str | Path,
    *,
    held_out: float = 0.1,
    options: TextOptions | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """Read a set of texts.

    Args:
        source: a text file, a folder of text files, a jsonl, csv, tsv or parquet table, the name of a set
            ('quatrains', 'synopses', 'descriptions'), 'hub:OWNER/NAME[:SPLIT]', or a folder that
            ``datasets`` saved.
        held_out: share that training must not see, 0 <= held_out < 1; an official test part goes before.
        options: columns of a table, how plain text is cut, its encoding.
        progress: called with (bytes read, bytes in all) from time to time.

    Raises:
        DataError: the source does not exist, or holds no usable text.
        ConfigError: an option is none.
        MissingExtra: a library for this kind of source is not installed.
    """
    if not 0 <= held_out < 1:
        raise DataError(f"The share to hold out, {held_out}, is not in 0 <= share < 1. The usual one is 0.1.")
    reader = find_text_reader(source, options)
    found = _Gathered()
    try:
        for index, document in enumerate(reader.documents()):
            found.add(document)
            if progress and reader.total and index % 1024 == 0:
                progress(reader.done, reader.total)
    except OSError as error:
        raise DataError(f"{reader.source!r} {plain_reason(error)}.") from error
    if progress and reader.total:
        progress(reader.total, reader.total)
    if not found.kept:
        raise DataError(_nothing(reader.source, found.skipped))
    return _corpus(reader, found, held_out)


@dataclass
class _Gathered:
    """Documents kept, left out, and dropped as duplicates."""

    kept: list[Document] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    duplicates: int = 0
    _seen: set[bytes] = field(default_factory=set)

    def add(self, document: Document) -> None:
        """Keep a document unless it is left out or an equal one is kept."""
        if document.reason:
            self.skipped.append((document.name, document.reason))
            return
        try:
            key = _sha(document.text, document.target or "")
        except UnicodeEncodeError:  # JSON can spell such
            self.skipped.append((document.name, "not a text: it holds half a surrogate pair"))
            return
        if key in self._seen:
            self.duplicates += 1
            return
        self._seen.add(key)
        self.kept.append(document)


def _corpus(reader: TextReader, found: _Gathered, held_out: float) -> Corpus:
    kept, notes = found.kept, []
    if len(kept) == 1 and held_out > 0:
        kept, note = _halved(kept[0], held_out)
        notes.append(note)
    prints = [_sha(document.text) for document in kept]
    # a document without a group is known by its text, so it keeps its side whatever is added around it
    keys = [(d.group and f"group {d.group}") or f"text {p.hex()}" for d, p in zip(kept, prints, strict=True)]
    official = np.array([document.held is True for document in kept])
    mask = held_out_mask(group(keys, prints)[0], held_out, official)
    if held_out > 0 and len(kept) > 1 and not mask.any():
        notes.append("Nothing is held out: all documents belong to one group.")
    paired = sum(document.target is not None for document in kept)
    classes, labels = _labels(reader, kept)
    texts = [document.text for document in kept]
    targets = [document.target or "" for document in kept] if paired else None
    return Corpus(
        source=reader.source,
        texts=texts,
        targets=targets,
        labels=labels,
        classes=classes,
        names=tuple(document.name for document in kept),
        train=np.flatnonzero(~mask),
        held_out=np.flatnonzero(mask),
        digest=_digest(texts, targets, labels, classes),
        duplicates=found.duplicates,
        skipped=tuple(found.skipped),
        notes=tuple(notes),
    )


def _halved(document: Document, share: float) -> tuple[list[Document], str]:
    """A lone long document as two, the second one to be held out."""
    text, size = document.text, len(document.text)
    if size < LONG or document.target is not None:
        return [document], "There is one short document only: nothing can be held out."
    place = size - max(1, int(size * share))
    # the nearest good place before it: a line's end, a sentence's end, a space; anywhere if there is none
    cuts = (text.rfind(mark, place // 2, place) + len(mark) for mark in ("\n", "。", ". ", " "))
    place = next((cut for cut in cuts if cut > place // 2), place)
    parts = (text[:place], False), (text[place:], True)
    halves = [
        replace(document, name=f"{document.name}#{i}", text=part, held=held, group="")
        for i, (part, held) in enumerate(parts)
    ]
    return halves, f"It is one document; its last {size - place:,} characters are held out."


def _labels(reader: TextReader, kept: Sequence[Document]) -> tuple[tuple[str, ...], NDArray[np.int64] | None]:
    used = {document.label for document in kept if document.label is not None}
    if not used:
        return (), None
    known = reader.classes or ()
    classes = known if used <= set(known) else natural(used)
    number = {name: index for index, name in enumerate(classes)}
    return classes, np.array([number.get(document.label or "", -1) for document in kept], np.int64)


def _sha(*parts: str) -> bytes:
    sha = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        sha.update(len(raw).to_bytes(8, "big") + raw)
    return sha.digest()


def _digest(
    texts: Sequence[str],
    targets: Sequence[str] | None,
    labels: NDArray[np.int64] | None,
    classes: tuple[str, ...],
) -> str:
    sha = hashlib.sha256(_sha(*texts) + _sha(*(targets or ())) + _sha(*classes))
    sha.update(b"" if labels is None else labels.tobytes())
    return sha.hexdigest()


def _nothing(source: str, skipped: Sequence[tuple[str, str]]) -> str:
    if not skipped:
        return f"{source!r} holds no text: it is empty. Give .txt, .md, .jsonl, .csv or .parquet files."
    counts = Counter(reason.partition(":")[0] for _, reason in skipped)
    name, reason = skipped[0]
    hint = " In a folder, text files end in .txt or .md." if set(counts) == {NOT_TEXT} else ""
    return (
        f"{source!r} holds no usable text: {listed(dict(counts.most_common()), count_first=True)}.\n"
        f"The first is {name!r}: {reason}.{hint}"
    )


def find_text_reader(source: str | Path, options: TextOptions | None = None) -> TextReader:
    """The reader that is meant by a source.

    Raises:
        DataError: there is no such source; the message names the nearest one.
    """
    from unfog.data import NAMED, TEXT_READERS

    text = os.path.expanduser(os.fspath(source))
    if not text:
        raise DataError("No data is named. Give a text file, a folder of them, or 'quatrains'.")
    if isinstance(source, Path) and not source.is_absolute() and source.exists():
        text = os.path.join(".", text)  # a path that exists is not the name of a set
    try:
        for kind in TEXT_READERS.values():
            if kind.accepts(text):
                return kind(text, options or TextOptions())
    except OSError as error:
        raise DataError(f"{text!r} {plain_reason(error)}.") from error
    names = [name for name, known in NAMED.items() if known.kind == "text"]
    near = difflib.get_close_matches(text, names, n=1, cutoff=0.6)
    hint = f"Did you mean {near[0]!r}?" if near else f"Named sets of text are: {', '.join(names)}."
    raise DataError(f"There is no folder, file or named set {text!r}. {hint}")
