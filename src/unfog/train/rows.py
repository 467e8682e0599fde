"""Documents as rows of tokens, all as long as what the network sees at once.

Whole documents are laid one to a row, with END behind them up to the end of the row, so that where to stop is
learned like everything else (Nie et al. 2025, arXiv 2502.09992). Where most documents are longer than a row,
they are laid end to end instead, and the line is cut into rows. Of a pair, source GAP target, the source is
given and only the target is lost and learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_LONGER = 0.1  # share of documents that may be longer than a row before they are laid end to end


@dataclass(frozen=True)
class Rows:
    """Tokens, ready for training.

    Attributes:
        tokens: (N, L), int32.
        given: tokens at the start of each row that are never lost, (N,); 0 without pairs.
        document: which document each row begins with, (N,).
        cut: documents that did not fit into their row, whose end is missing.
        packed: whether documents lie end to end.
    """

    tokens: NDArray[np.int32]
    given: NDArray[np.int32]
    document: NDArray[np.int64]
    cut: int = 0
    packed: bool = False

    def __len__(self) -> int:
        return len(self.tokens)


def whole(documents: Sequence[NDArray[np.int64]], length: int, end: int) -> Rows:
    """One document to a row; of those that are longer, as many rows as they need."""
    tokens, origin = [], []
    for number, document in enumerate(documents):
        for first in range(0, max(1, len(document)), length):
            row = np.full(length, end, np.int32)
            part = document[first : first + length]
            row[: len(part)] = part
            tokens.append(row)
            origin.append(number)
    return Rows(np.stack(tokens), np.zeros(len(tokens), np.int32), np.array(origin))


def packed(documents: Sequence[NDArray[np.int64]], length: int, end: int) -> Rows:
    """All documents end to end, END between them, cut into rows; the rest that fills no row is END."""
    closed = [np.append(document, end) for document in documents]
    line = np.concatenate(closed)
    starts = np.cumsum([0, *map(len, closed)])[:-1]
    count = -(-len(line) // length)
    tokens = np.full(count * length, end, np.int32)
    tokens[: len(line)] = line
    first = np.arange(count) * length
    document = np.searchsorted(starts, first, side="right") - 1
    return Rows(tokens.reshape(count, length), np.zeros(count, np.int32), document, packed=True)


def pairs(
    sources: Sequence[NDArray[np.int64]],
    targets: Sequence[NDArray[np.int64]],
    length: int,
    *,
    gap: int,
    end: int,
    room: int,
) -> Rows:
    """Source GAP target to a row; a source that leaves no room for the target is cut at its end.

    Args:
        sources, targets: tokens of each.
        length: L.
        gap, end: those tokens.
        room: tokens kept free for the target, at most half of the row.
    """
    tokens = np.full((len(sources), length), end, np.int32)
    given, cut = np.zeros(len(sources), np.int32), 0
    for number, (source, target) in enumerate(zip(sources, targets, strict=True)):
        space = length - 1 - min(len(target) + 1, room, length // 2)
        kept = source[:space]
        row = np.concatenate([kept, [gap], target, [end]])
        cut += len(kept) < len(source) or len(row) > length
        tokens[number, : min(len(row), length)] = row[:length]
        given[number] = len(kept) + 1
    return Rows(tokens, given, np.arange(len(sources)), cut)


def lay(documents: Sequence[NDArray[np.int64]], length: int, end: int, how: str = "auto") -> Rows:
    """Documents as rows, whole or packed; "auto" packs them if more than a tenth is longer than a row."""
    longer = np.mean([len(document) > length for document in documents])
    pack = longer > MOST_LONGER if how == "auto" else how == "packed"
    return (packed if pack else whole)(documents, length, end)
