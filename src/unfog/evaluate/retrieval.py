"""Whether pictures and texts find each other: the rank of the right one among all others.

A pair model puts both into one space. Each picture asks for its caption among all held-out captions, each
caption for its picture; rank 1 is found at once, and with N to choose from, chance is a rank of about N / 2.
Recall at k is the share with a rank of k or better (Radford et al. 2021, arXiv 2103.00020, report it at 1, 5,
10). Languages are looked at apart, each among captions of its own: others would be no temptation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unfog.evaluate.figure import Z95, Figure, share

RECALLS = (1, 5, 10)
SCRIPTS = ("other letters", "Chinese")
CHINESE = 0.3  # share of letters from which a text counts as Chinese

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to embeddings (N, E) of length 1."""


@dataclass(frozen=True)
class Found:
    """How well something was found.

    Attributes:
        way: what asks for what: "text to picture", "picture to text", ...
        script: of the texts, one of ``SCRIPTS``; empty where they are of one kind.
        candidates: how many there were to choose from.
        median: of the ranks, 1 is best.
        recall: by k, the share of ranks up to k.
    """

    way: str
    script: str
    candidates: int
    median: Figure
    recall: dict[int, Figure]

    @classmethod
    def of(cls, ranked: NDArray[np.int64], candidates: int, way: str, script: str = "") -> Found:
        """From ranks (N,) among so many candidates."""
        recall = {k: share(ranked <= k) for k in RECALLS}
        return cls(way, script, candidates, median(ranked), recall)

    def title(self) -> str:
        """What was asked, in words."""
        return f"{self.way}, {self.script}" if self.script else self.way

    def to_dict(self) -> dict[str, object]:
        """Plain values."""
        return {
            "candidates": self.candidates,
            "median": self.median.to_dict(),
            "recall": {str(k): figure.to_dict() for k, figure in self.recall.items()},
        }


def ranks(likeness: NDArray[np.float32], right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The rank of the best right candidate of each question, 1 is best, (N,).

    Wrong ones that are as like as the right one stand before it: who says the same of all has found nothing.

    Args:
        likeness: of questions and candidates, (N, M).
        right: which candidates are right, (N, M), at least one for each question.
    """
    best = np.where(right, likeness, -np.inf).max(1)
    found: NDArray[np.int64] = 1 + ((likeness >= best[:, None]) & ~right).sum(1)
    return found


def median(ranked: NDArray[np.int64]) -> Figure:
    """The median of ranks (N,), with the interval that order statistics give whatever their law."""
    if not len(ranked):
        return Figure.missing("there is nothing to rank")
    line, n = np.sort(ranked), len(ranked)
    half = Z95 * math.sqrt(n) / 2
    low, high = (int(np.clip(place, 0, n - 1)) for place in (n / 2 - half - 1, n / 2 + half))
    return Figure.of(float(np.median(line)), (float(line[low]), float(line[high])), n, floor=1.0)


def script_of(text: str) -> str:
    """Whether a text is written in Chinese characters, or in any others."""
    letters = [c for c in text if c.isalpha()]
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in letters)
    return SCRIPTS[chinese > CHINESE * max(1, len(letters))]


def by_script(texts: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Places of texts of each script, and its name; one group without a name where there is but one."""
    scripts = [script_of(text) for text in texts]
    kinds = [script for script in SCRIPTS if script in scripts]
    groups = [(kind, [i for i, each in enumerate(scripts) if each == kind]) for kind in kinds]
    return groups if len(groups) > 1 else [("", places) for _, places in groups]


def retrieval(seen: NDArray[np.float32], captions: Sequence[Sequence[str]], embed: Embed) -> list[Found]:
    """How well texts find their pictures, and pictures their texts.

    Args:
        seen: embeddings of pictures, (N, E).
        captions: of each of them, in any languages; pictures without any are candidates only.
        embed: of texts.
    """
    unique = list(dict.fromkeys(text for each in captions for text in each if text))
    number = {text: i for i, text in enumerate(unique)}
    right = np.zeros((len(unique), len(seen)), bool)
    for place, each in enumerate(captions):
        right[[number[text] for text in each if text], place] = True
    likeness = embed(unique) @ seen.T if unique else np.zeros((0, len(seen)), np.float32)
    found = []
    for script, places in by_script(unique):
        here, alike = right[places], likeness[places]
        found.append(Found.of(ranks(alike, here), len(seen), "text to picture", script))
        told = here.any(0)
        ranked = ranks(alike.T[told], here.T[told])
        found.append(Found.of(ranked, len(places), "picture to text", script))
    return found


def adherence_ranks(
    seen: NDArray[np.float32], asked: Sequence[str], candidates: Sequence[str], embed: Embed
) -> list[Found]:
    """The rank of what was asked for among all captions of its script, for pictures that were drawn for it.

    Args:
        seen: embeddings of the pictures, (N, E).
        asked: what each was drawn for.
        candidates: captions to choose from; what was asked is added where it is missing.
        embed: of texts.
    """
    found = []
    for script, places in by_script(asked):
        mine = [asked[i] for i in places]
        kind = script_of(mine[0])
        choice = list(
            dict.fromkeys([*mine, *(text for text in candidates if text and script_of(text) == kind)])
        )
        number = {text: i for i, text in enumerate(choice)}
        right = np.zeros((len(mine), len(choice)), bool)
        right[np.arange(len(mine)), [number[text] for text in mine]] = True
        ranked = ranks(seen[places] @ embed(choice).T, right)
        found.append(Found.of(ranked, len(choice), "caption of what was drawn", script))
    return found
