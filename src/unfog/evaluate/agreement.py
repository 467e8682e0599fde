"""Are the samples what was asked for, and of all kinds? The opinion of the classifier.

agreement   share of pictures whose most likely class is the one requested
confidence  mean probability of the most likely class: high for clean pictures, low for in-betweens
balance     entropy of the classes found, divided by that of equal shares: 1 when all are equally frequent,
            0 when there is one only
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unfog.evaluate.figure import Figure, average, jackknife, share
from unfog.evaluate.pictures import Labels

Floats = NDArray[np.float64]

GROUPS = 20


def agreement(probabilities: Floats, labels: Labels) -> Figure:
    """Share of pictures whose most likely class equals the label.

    Args:
        probabilities: (N, K).
        labels: (N,), 0..K-1; pictures labelled -1 do not count.
    """
    asked = labels >= 0
    if not asked.any():
        return Figure.missing("no class was asked for")
    return share(probabilities[asked].argmax(1) == labels[asked])


def agreement_by_class(probabilities: Floats, labels: Labels, classes: Sequence[str]) -> dict[str, Figure]:
    """``agreement`` of each class that was asked for, by its name."""
    return {
        name: agreement(probabilities[labels == index], labels[labels == index])
        for index, name in enumerate(classes)
        if (labels == index).any()
    }


def confidence(probabilities: Floats) -> Figure:
    """Mean probability of the most likely class, of (N, K)."""
    return average(probabilities.max(1)) if len(probabilities) else Figure.missing("there are no pictures")


def balance(probabilities: Floats, seed: int = 0) -> Figure:
    """Entropy of the most likely classes over log K, 0..1, with a jackknife interval.

    Too low by about (K - 1) / (2 N log K), so only equal N may be compared.

    Args:
        probabilities: (N, K), K >= 2.
        seed: of the groups left out.
    """
    n, classes = probabilities.shape
    if n == 0:
        return Figure.missing("there are no pictures")
    found = probabilities.argmax(1)[np.random.default_rng(seed).permutation(n)]
    counts = np.bincount(found, minlength=classes)
    groups = min(GROUPS, n)
    left_out = [_evenness(counts - np.bincount(found[g::groups], minlength=classes)) for g in range(groups)]
    value = _evenness(counts)
    interval = jackknife(value, np.array(left_out)) if groups > 2 else None
    if interval is not None:
        interval = (max(0.0, interval[0]), min(1.0, interval[1]))
    return Figure.of(value, interval, n, floor=0.0)


def _evenness(counts: NDArray[np.int64]) -> float:
    shares = counts[counts > 0] / max(1, counts.sum())
    return max(0.0, float(-(shares * np.log(shares)).sum())) / math.log(len(counts))
