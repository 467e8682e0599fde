"""Judging written texts: how likely, how varied, how new, always beside real texts that were held out.

A judge's bits alone can be cheated: dull and repetitive text is easy to foresee, and sampling at a low
temperature makes any model's text so. Hence the entropies and distinct-n beside it, which fall when that
happens, and the longest copied run, which grows when a model recites. All of them depend on how much text is
looked at, so samples and held-out texts are cut to the same number of words first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unfog.evaluate.copied import TrainingText
from unfog.evaluate.cut import words_and_marks
from unfog.evaluate.figure import Figure, average, share
from unfog.evaluate.reader import Reader
from unfog.evaluate.text_words import TEXT_WORDS
from unfog.evaluate.verse import Rhymes, quatrain_figures
from unfog.evaluate.words import Row

Figures = dict[str, Figure]


@dataclass(frozen=True)
class TextQuality:
    """The result of ``evaluate_texts``.

    Attributes:
        samples: figures of the samples, by the names of ``TEXT_WORDS``.
        floor: the same figures of held-out real texts.
        counts: texts in ``samples`` and ``held``, and ``words`` of each that enter the figures of variety.
        notes: sentences that the reader should see.
    """

    samples: Mapping[str, Figure]
    floor: Mapping[str, Figure]
    counts: Mapping[str, int]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: counts, notes, samples and floor, each figure as value, low, high, n."""
        return {
            "counts": dict(self.counts),
            "notes": list(self.notes),
            "samples": {key: figure.to_dict() for key, figure in self.samples.items()},
            "floor": {key: figure.to_dict() for key, figure in self.floor.items()},
        }

    def rows(self) -> list[Row]:
        """The figures as lines of a table, the most telling first."""
        return [
            Row(
                words.title,
                words.meaning,
                self.samples[key],
                self.floor[key],
                words.better,
                key,
                "",
                words.percent,
            )
            for key, words in TEXT_WORDS.items()
            if key in self.samples
        ]


def evaluate_texts(
    samples: Sequence[str],
    held: Sequence[str],
    training: TrainingText,
    reader: Reader | None = None,
    rhymes: Rhymes | None = None,
) -> TextQuality:
    """Every figure of some samples, and the same of real texts.

    Args:
        samples: what the model wrote.
        held: real texts that neither model nor reader nor rhymes have seen.
        training: the texts the model learned from.
        reader: an independent judge; None leaves out its bits.
        rhymes: for quatrains; None leaves out form and rhyme.
    """
    cut = [[words_and_marks(text) for text in texts] for texts in (samples, held)]
    size = min(sum(map(len, each)) for each in cut)
    sides: list[Figures] = []
    for texts, pieces in zip((samples, held), cut, strict=True):
        found: Figures = {} if reader is None else {"reader_bits": reader.bits_per_character(texts)}
        found |= {} if rhymes is None else quatrain_figures(texts, rhymes)
        found |= variety(first_words(pieces, size))
        sides.append(found | copying(texts, training))
    notes = ["Bits of the reader compare only at similar entropies: dull text is easy to foresee."]
    if rhymes is not None:
        notes.append(
            f"Rhyme classes were learned from {rhymes.learned_from:,} pairs of line ends in real poems; rare "
            "ends have none and count as no rhyme."
        )
    counts = {"samples": len(samples), "held": len(held), "words": size}
    return TextQuality(sides[0], sides[1], counts, tuple(notes if reader is not None else notes[1:]))


def variety(texts: Sequence[Sequence[str]]) -> Figures:
    """Distinct-n (Li et al. 2016, arXiv 1510.03055) and entropies of texts that are cut into words.

    Returns:
        ``distinct1``, ``distinct2``, ``distinct4``: different n-grams / all n-grams, 0..1; ``entropy1``,
        ``entropy4``: of the n-grams' frequencies, in bits, at most log2 of how many there are.
    """
    figures: Figures = {}
    counts = {size: ngrams(texts, size) for size in (1, 2, 4)}
    for size, found in counts.items():
        total = found.total()
        figures[f"distinct{size}"] = (
            Figure.of(len(found) / total, None, total)
            if total
            else Figure.missing(f"no text has {size} words")
        )
    for size in (1, 4):
        total = counts[size].total()
        figures[f"entropy{size}"] = (
            Figure.of(entropy(counts[size]), None, total)
            if total
            else Figure.missing(f"no text has {size} words")
        )
    return figures


def ngrams(texts: Sequence[Sequence[str]], size: int) -> Counter[tuple[str, ...]]:
    """How often each run of ``size`` words occurs; runs do not reach from one text into the next."""
    found = Counter[tuple[str, ...]]()
    for text in texts:
        found.update(zip(*(text[start:] for start in range(size)), strict=False))
    return found


def entropy(counts: Mapping[Any, int]) -> float:
    """Entropy in bits of the frequencies of things that were counted, at least one."""
    total = sum(counts.values())
    return math.log2(total) - sum(count * math.log2(count) for count in counts.values()) / total


def first_words(texts: Sequence[Sequence[str]], size: int) -> list[Sequence[str]]:
    """The texts up to ``size`` words in all; the last one may be cut."""
    kept, left = [], size
    for text in texts:
        if left <= 0:
            break
        kept.append(text[:left])
        left -= len(text)
    return kept


def copying(texts: Sequence[str], training: TrainingText) -> Figures:
    """What of texts stands word for word in the training texts.

    Returns:
        ``copied_run``, the mean over texts of the longest copied run, in characters; ``copied_longest``, the
        longest of all; ``copied_whole``, the share of texts that are wholly copied.
    """
    runs = training.longest_runs(texts)
    whole = np.array(
        [len(text) > 0 and run == len(text) for text, run in zip(texts, runs, strict=True)], np.bool_
    )
    longest = (
        Figure.of(float(runs.max()), None, len(runs)) if len(runs) else Figure.missing("there are no texts")
    )
    return {
        "copied_run": average(runs.astype(np.float64)),
        "copied_longest": longest,
        "copied_whole": share(whole),
    }


def accuracy_by_position(
    guesses: NDArray[np.int64], truth: NDArray[np.int64], blank: NDArray[np.bool_]
) -> list[Figure]:
    """How often each position was filled in rightly.

    Args:
        guesses: tokens (N, L).
        truth: tokens (N, L).
        blank: which of them had to be guessed, (N, L).

    Returns:
        L shares; without a value where a position was never blank.
    """
    return [share((guesses == truth)[blank[:, place], place]) for place in range(truth.shape[1])]


def accuracy_in_blank(
    guesses: NDArray[np.int64], truth: NDArray[np.int64], blank: NDArray[np.bool_]
) -> list[Figure]:
    """How often the first, second, ... token of a blank was filled in rightly; arguments as above.

    Tokens at the edges of a blank have a known neighbour, those in the middle do not.
    """
    place = np.zeros(blank.shape, np.int64)
    for column in range(blank.shape[1]):
        before = place[:, column - 1] if column else 0
        place[:, column] = np.where(blank[:, column], before + 1, 0)
    right = guesses == truth
    return [share(right[place == number]) for number in range(1, int(place.max(initial=0)) + 1)]
