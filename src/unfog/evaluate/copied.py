"""How long are the runs that a text copies word for word from the training texts?

For each text the longest run of characters that also stands in one training text, exactly. Real texts share
runs as well (phrases, quotations, licence headers), so the same figure of held-out real texts belongs
beside it.

How it is found in 25 million characters within seconds: the sum ``S[i]`` of (random number of character k)
* p^k over k < i, modulo 2^64, gives the hash of the n characters from i on as (S[i + n] - S[i]) / p^i: all
runs of one length at once (Karp & Rabin 1987). Runs are compared at one length, 12; places that match are
looked at again for 24, 48, ..., and then character by character, each time among the places that are left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

START = 12  # characters of the runs that are compared first
_PRIME = 0x9E3779B97F4A7C15  # any odd number with mixed bits
_BITS = 24  # of the table that says quickly what cannot match
_CHUNK = 1 << 20
_BORDER = 0x110000  # between texts: no character

Places = NDArray[np.int64]
Hashes = NDArray[np.uint64]


class TrainingText:
    """Texts in which long runs can be looked up.

    Args:
        texts: all training texts. Takes about 25 bytes of memory for each character.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._text = _Hashed(texts)
        self.characters = sum(map(len, texts))

    def longest_runs(self, texts: Sequence[str]) -> Places:
        """Characters of the longest run in each text that a training text has as well, int64 (N,)."""
        ours, found = _Hashed(texts), np.zeros(len(texts), np.int64)
        here, there = self._match(ours, ours.places(), None, START)
        # the others have shorter runs: look for those of 11, of 10, ... until each has one
        found[ours.owner[here]] = START
        for length in range(START - 1, 0, -1):
            others = np.flatnonzero(found[ours.owner] == 0)
            if not len(others):
                break
            others, _ = self._match(ours, others, None, length)
            found[ours.owner[others]] = length
        return self._lengthen(ours, here, there, found)

    def _lengthen(self, ours: _Hashed, here: Places, there: Places, found: Places) -> Places:
        """Go from runs of ``START`` to the longest."""
        length, levels = START, []
        while len(here):
            levels.append((length, here, there))
            length *= 2
            here, there = self._match(ours, here, there, length)
        top = np.zeros(len(found), np.int64)
        for length, here, _ in levels:
            top[ours.owner[here]] = length
        for start, here, there in levels:
            length, here = start, here[top[ours.owner[here]] == start]
            while len(here):
                found[ours.owner[here]] = length
                length += 1
                here, there = self._match(ours, here, there, length)
        return found

    def _match(self, ours: _Hashed, here: Places, there: Places | None, length: int) -> tuple[Places, Places]:
        """The places, of both sides, where a run of ``length`` begins that the other side has, too.

        ``there`` = None looks at the whole training text.
        """
        here = ours.fitting(here, length)
        mine = ours.hashes(here, length)
        wanted = np.unique(mine)
        table = np.zeros(1 << _BITS, np.bool_)
        table[_slot(wanted)] = True
        kept, seen = [np.empty(0, np.int64)], np.zeros(len(wanted), np.bool_)
        for part in _chunks(self._text.count if there is None else there) if len(wanted) else ():
            part = self._text.fitting(part, length)
            theirs = self._text.hashes(part, length)
            may = np.flatnonzero(table[_slot(theirs)])
            theirs, part = theirs[may], part[may]
            index = np.minimum(np.searchsorted(wanted, theirs), len(wanted) - 1)
            right = wanted[index] == theirs
            seen[index[right]] = True
            kept.append(part[right])
        return here[seen[np.searchsorted(wanted, mine)]], np.concatenate(kept)


class _Hashed:
    """Texts one after the other, ready for the hash of any run.

    Attributes:
        count: characters and borders.
        owner: which text a place belongs to, int32 (count,).
    """

    def __init__(self, texts: Sequence[str]) -> None:
        rows = [np.append(_points(text), np.uint32(_BORDER)) for text in texts]
        points = np.concatenate([np.empty(0, np.uint32), *rows])
        lengths = np.array([len(row) for row in rows], np.int64)
        self.count = len(points)
        self.owner = np.repeat(np.arange(len(rows), dtype=np.int32), lengths)
        self._ends = np.cumsum(lengths) - 1
        self._sums = np.zeros(self.count + 1, np.uint64)
        terms = _powers(_PRIME, self.count)
        for start in range(0, self.count, _CHUNK):
            terms[start : start + _CHUNK] *= _mixed(points[start : start + _CHUNK])
        np.cumsum(terms, out=self._sums[1:])
        self._inverse = _powers(pow(_PRIME, -1, 1 << 64), self.count)

    def places(self) -> Places:
        """All places, borders included."""
        return np.arange(self.count, dtype=np.int64)

    def fitting(self, places: Places, length: int) -> Places:
        """Those of some places where a run of ``length`` characters fits into its text."""
        return places[places + length <= self._ends[self.owner[places]]]

    def hashes(self, places: Places, length: int) -> Hashes:
        """The hash of the ``length`` characters from each place on, uint64."""
        return (self._sums[places + length] - self._sums[places]) * self._inverse[places]


def _points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _powers(base: int, count: int) -> Hashes:
    """base^0, base^1, ... modulo 2^64."""
    factors = np.full(count, base, np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, out=factors)


def _mixed(points: NDArray[np.uint32]) -> Hashes:
    """A number for each character that looks random (Steele et al. 2014, SplitMix)."""
    z = points.astype(np.uint64) + np.uint64(_PRIME)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _slot(hashes: Hashes) -> Places:
    return (hashes >> np.uint64(64 - _BITS)).astype(np.int64)


def _chunks(places: Places | int) -> Iterator[Places]:
    """Some places, or the first so many, a million at a time."""
    if isinstance(places, int):
        ends = [*range(0, places, _CHUNK), places]
        return (np.arange(one, two, dtype=np.int64) for one, two in pairwise(ends))
    return (places[start : start + _CHUNK] for start in range(0, len(places), _CHUNK))
