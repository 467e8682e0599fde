"""ROUGE: how much of a reference summary's wording a summary shares (Lin 2004, aclanthology.org/W04-1013).

ROUGE-1 and -2 count shared words and pairs of words, ROUGE-L the longest run of words that both have in the
same order, gaps allowed. Each is the harmonic mean (F1) of two shares: of the summary's that the reference
has, too, and of the reference's that the summary has. Lower case, no punctuation, no stemming; on plain
English the same numbers as the package rouge-score. Same wording is not the same meaning: read some
summaries as well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from unfog.evaluate.cut import words
from unfog.evaluate.figure import Figure, average

_END = re.compile(r"[.!?](?=\s)|[。！？]|(?=\n\s*\n)")


class Rouge(NamedTuple):
    """F1 of each kind, 0..1."""

    rouge1: float
    rouge2: float
    rougeL: float  # the name it has everywhere


def rouge(summary: str, reference: str) -> Rouge:
    """ROUGE of one summary; 0 where either side has no words (or, for ROUGE-2, no pairs of them)."""
    ours, theirs = words(summary), words(reference)
    longest = common_subsequence(ours, theirs)
    return Rouge(
        _shared_runs(ours, theirs, 1), _shared_runs(ours, theirs, 2), _f1(longest, len(ours), len(theirs))
    )


def rouge_figures(summaries: Sequence[str], references: Sequence[str]) -> dict[str, Figure]:
    """The means of ``rouge`` over pairs, with intervals: ``rouge1``, ``rouge2``, ``rougeL``."""
    scores = [rouge(ours, theirs) for ours, theirs in zip(summaries, references, strict=True)]
    columns = np.array(scores, np.float64).reshape(-1, 3).T
    return {name: average(column) for name, column in zip(Rouge._fields, columns, strict=True)}


def lead_sentence(text: str) -> str:
    """The first sentence (or line, if it ends sooner), which is the summary that costs nothing."""
    text = text.strip()
    end = _END.search(text)
    return " ".join(text[: end.end() if end else len(text)].split())


def common_subsequence(one: Sequence[str], two: Sequence[str]) -> int:
    """Length of the longest common subsequence.

    A row of the usual table differs from the one before by at most 1 at each place, so a row is a whole
    number, one bit a place, and a step is an addition (Hyyrö 2004).
    """
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    row = whole = (1 << len(one)) - 1
    for word in two:
        same = row & places.get(word, 0)
        row = ((row + same) | (row - same)) & whole
    return len(one) - row.bit_count()


def _shared_runs(ours: Sequence[str], theirs: Sequence[str], size: int) -> float:
    one, two = _runs(ours, size), _runs(theirs, size)
    return _f1((one & two).total(), one.total(), two.total())


def _runs(cut: Sequence[str], size: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(cut[start:] for start in range(size)), strict=False))


def _f1(shared: int, ours: int, theirs: int) -> float:
    return 2 * shared / (ours + theirs) if shared else 0.0
