"""The result of an evaluation: every figure of the samples beside that of held-out real pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from unfog.evaluate.figure import Figure
from unfog.evaluate.memorisation import Neighbours
from unfog.evaluate.words import WORDS, Row


class Pair(NamedTuple):
    """A figure of the samples, and the same of held-out real pictures."""

    samples: Figure
    floor: Figure


Pairs = dict[str, Pair]


@dataclass(frozen=True, eq=False)
class Quality:
    """The result of ``evaluate_pictures``.

    Attributes:
        counts: pictures in ``samples``, ``train`` and ``held``; ``compared`` is how many of the samples and
            of the held-out pictures enter the figures that depend on their number.
        spaces: what each feature space is, by name, the most telling one first.
        distances: by space: frechet, frechet_limit, kernel, precision, recall, density, coverage.
        memorisation: by space: copied, authentic, and for pixels identical.
        opinions: agreement, confidence, balance; empty without a classifier.
        by_class: agreement of each class; empty without a classifier.
        range: dark, bright.
        neighbours: by space, the training pictures nearest to each sample; indices into ``train``.
        notes: sentences that the reader should see.
    """

    counts: Mapping[str, int]
    spaces: Mapping[str, str]
    distances: Mapping[str, Pairs]
    memorisation: Mapping[str, Pairs]
    opinions: Pairs
    by_class: Pairs
    range: Pairs
    neighbours: Mapping[str, Neighbours]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: each figure as value, low, high, n (and why, where there is no value).

        Keys: counts, notes, spaces (by name: describe, samples, floor), memorisation (by space: samples,
        floor), opinions, by_class and range (each with samples and floor).
        """
        spaces = {
            name: {"describe": text} | _unzip(self.distances.get(name, {}))
            for name, text in self.spaces.items()
        }
        return {
            "counts": dict(self.counts),
            "notes": list(self.notes),
            "spaces": spaces,
            "memorisation": {name: _unzip(pairs) for name, pairs in self.memorisation.items()},
            "opinions": _unzip(self.opinions),
            "by_class": _unzip(self.by_class),
            "range": _unzip(self.range),
        }

    def rows(self) -> list[Row]:
        """The figures as lines of a table, the most telling first."""
        rows = [_row(key, pair, "") for key, pair in self.opinions.items()]
        for found in (self.distances, self.memorisation):
            rows += [_row(key, pair, space) for space, pairs in found.items() for key, pair in pairs.items()]
        return rows + [_row(key, pair, "") for key, pair in self.range.items()]


def _unzip(pairs: Pairs) -> dict[str, Any]:
    return {
        "samples": {key: pair.samples.to_dict() for key, pair in pairs.items()},
        "floor": {key: pair.floor.to_dict() for key, pair in pairs.items()},
    }


def _row(key: str, pair: Pair, space: str) -> Row:
    words = WORDS[key]
    title = f"{words.title} ({space})" if space else words.title
    return Row(title, words.meaning, pair.samples, pair.floor, words.better, key, space, words.percent)
