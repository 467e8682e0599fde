"""Documents as rows of tokens, all as long as what the network sees at once.

Whole documents are laid one to a row, behind an END that is never lost, from which a place knows where it is,
and with END behind them up to the end of the row, so that where to stop is learned like everything else (Nie
et al. 2025, arXiv 2502.09992). Where many documents are longer than a row, or most far shorter, they are laid
end to end instead, in random order, and the line is cut into rows. Of a pair, source GAP target, the source
is given and only the target is lost and learned. It stands at the end of its row, and END fills up what is
left before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_LONGER = 0.1  # share of documents that may be longer than a row before they are laid end to end
FULLEST = 0.5  # share of the rows that documents must fill, or they are laid end to end, too


@dataclass(frozen=True)
class Rows:
    """Tokens, ready for training.

    Attributes:
        tokens: (N, L), int32.
        start, stop: the places of each row that are learned, from ``start`` up to ``stop``, (N,).
        first: the place of each row where its text begins, which END fills up to it, (N,).
        document: which document each row begins with, (N,).
        cut: documents that did not fit into their row, whose end is missing.
        packed: whether documents lie end to end.
    """

    tokens: NDArray[np.int32]
    start: NDArray[np.int32]
    stop: NDArray[np.int32]
    first: NDArray[np.int32]
    document: NDArray[np.int64]
    cut: int = 0
    packed: bool = False

    def __len__(self) -> int:
        return len(self.tokens)


def whole(documents: Sequence[NDArray[np.int64]], length: int, end: int) -> Rows:
    """One document to a row; of those that are longer, as many rows as they need."""
    tokens, origin = [], []
    for number, document in enumerate(documents):
        for first in range(0, max(1, len(document)), length - 1):
            row = np.full(length, end, np.int32)
            part = document[first : first + length - 1]
            row[1 : len(part) + 1] = part
            tokens.append(row)
            origin.append(number)
    start, stop = _everything(len(tokens), length)
    return Rows(np.stack(tokens), start + 1, stop, start, np.array(origin))


def packed(
    documents: Sequence[NDArray[np.int64]], length: int, end: int, classes: NDArray[np.int64] | None = None
) -> Rows:
    """All documents end to end, END between them, cut into rows; the rest that fills no row is END.

    The order is random, and the same for the same number of documents: neighbours in a file are often much
    alike, and a model that is shown them in one row learns to copy, which helps nobody who writes one text.

    Args:
        documents: tokens of each, (n,).
        length: L.
        end: that token.
        classes: of the documents, (N,), those of a class then lie together; a row has the class that it
            begins with.
    """
    order = np.random.default_rng(len(documents)).permutation(len(documents))
    if classes is not None:
        order = order[classes[order].argsort(kind="stable")]
    closed = [np.append(documents[i], end) for i in order]
    line = np.concatenate(closed)
    starts = np.cumsum([0, *map(len, closed)])[:-1]
    count = -(-len(line) // length)
    tokens = np.full(count * length, end, np.int32)
    tokens[: len(line)] = line
    first = np.arange(count) * length
    document = order[np.searchsorted(starts, first, side="right") - 1]
    start, stop = _everything(count, length)
    return Rows(tokens.reshape(count, length), start, stop, start, document, packed=True)


def _everything(count: int, length: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    return np.zeros(count, np.int32), np.full(count, length, np.int32)


def pairs(
    sources: Sequence[NDArray[np.int64]],
    targets: Sequence[NDArray[np.int64]],
    length: int,
    *,
    gap: int,
    end: int,
    room: int,
) -> Rows:
    """Source GAP target to a row; what does not fit of a source or a target is cut at its end.

    Args:
        sources, targets: tokens of each.
        length: L.
        gap, end: those tokens.
        room: tokens kept for the target and its END, which fills them up.
    """
    tokens = np.full((len(sources), length), end, np.int32)
    first, cut = np.zeros(len(sources), np.int32), 0
    for number, (source, target) in enumerate(zip(sources, targets, strict=True)):
        kept, said = source[: length - 1 - room], target[:room]
        cut += len(kept) < len(source) or len(said) < len(target)
        first[number] = length - room - 1 - len(kept)
        row = np.concatenate([kept, [gap], said])
        tokens[number, first[number] : first[number] + len(row)] = row
    stop = np.full(len(sources), length, np.int32)
    return Rows(tokens, stop - room, stop, first, np.arange(len(sources)), cut)


def lay(
    documents: Sequence[NDArray[np.int64]],
    length: int,
    end: int,
    how: str = "auto",
    classes: NDArray[np.int64] | None = None,
) -> Rows:
    """Documents as rows, whole or packed.

    "auto" packs them if more than a tenth is longer than a row, or if rows would be half empty.
    """
    sizes = np.array([len(document) + 1 for document in documents])
    pack = (sizes > length).mean() > MOST_LONGER or np.minimum(sizes, length).mean() < FULLEST * length
    if how != "auto":
        pack = how == "packed"
    return packed(documents, length, end, classes) if pack else whole(documents, length, end)
