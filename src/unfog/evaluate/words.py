"""What each figure means, in words for someone who never met it, and which way is better."""

from __future__ import annotations

from typing import NamedTuple

from unfog.evaluate.figure import Figure

LOWER, HIGHER, NEAR = "lower", "higher", "near floor"


class Row(NamedTuple):
    """One line of a table: the samples, and beside them real pictures that training never saw.

    Attributes:
        figure: title, such as "Frechet distance (classifier)".
        meaning: one sentence in plain words.
        samples: the figure of the samples.
        floor: the same figure of held-out real pictures; a perfect model would come close to it.
        better: "lower", "higher", or "near floor" where both directions are worse.
        key: the name of the figure in ``Quality.to_dict``, such as "frechet".
        space: the feature space, or "" where there is none.
        percent: whether the value is a share of 1.
    """

    figure: str
    meaning: str
    samples: Figure
    floor: Figure
    better: str
    key: str
    space: str
    percent: bool


class Words(NamedTuple):
    """Title, meaning and direction of a figure, and whether it is a share of 1."""

    title: str
    meaning: str
    better: str
    percent: bool


WORDS: dict[str, Words] = {
    "agreement": Words(
        "Label agreement",
        "Share of pictures in which the classifier sees the class that was asked for.",
        HIGHER,
        True,
    ),
    "confidence": Words(
        "Confidence",
        "How sure the classifier is of what it sees, on average; low for pictures in between two classes.",
        HIGHER,
        True,
    ),
    "balance": Words(
        "Class balance",
        "1 when all classes are equally frequent, 0 when there is only one.",
        NEAR,
        False,
    ),
    "frechet": Words(
        "Frechet distance",
        "How far the samples as a whole are from the training pictures; compare only at equal numbers.",
        LOWER,
        False,
    ),
    "frechet_limit": Words(
        "Frechet distance, infinitely many samples",
        "The same, with the part that only comes from having few samples taken off; may fall below 0.",
        LOWER,
        False,
    ),
    "kernel": Words(
        "Kernel distance",
        "Another distance of the whole; 0 on average for new pictures of the same kind, however many.",
        LOWER,
        False,
    ),
    "precision": Words(
        "Precision",
        "Share of samples that lie where real pictures lie: do they look right?",
        HIGHER,
        True,
    ),
    "recall": Words(
        "Recall",
        "Share of real pictures that lie where samples lie: is every kind there?",
        HIGHER,
        True,
    ),
    "density": Words(
        "Density",
        "How crowded with real pictures the samples' places are; far above the floor: only typical ones.",
        NEAR,
        False,
    ),
    "coverage": Words(
        "Coverage",
        "Share of real pictures that have a sample nearby: is every kind there?",
        HIGHER,
        True,
    ),
    "copied": Words(
        "Copies of training pictures",
        "Share three times nearer to one training picture than to any other; above the floor: memorised.",
        LOWER,
        True,
    ),
    "identical": Words(
        "Identical to a training picture",
        "Share that equals a training picture in every pixel.",
        LOWER,
        True,
    ),
    "authentic": Words(
        "Authentic",
        "Share farther from its nearest training picture than that one is from its own nearest one.",
        NEAR,
        True,
    ),
    "dark": Words(
        "At the dark end",
        "Share of values at the darkest level of the data; far above the floor: the samples are cut off.",
        NEAR,
        True,
    ),
    "bright": Words(
        "At the bright end",
        "Share of values at the brightest level of the data; far above the floor: the samples are burnt out.",
        NEAR,
        True,
    ),
}
