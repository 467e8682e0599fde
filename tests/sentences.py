"""A small grammar, so that tests of text have sentences to learn from: who does what, where, in two moods."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

WHO = ("The cat", "A dog", "The old fox", "My sister", "Nobody")
DOES = ("sees", "likes", "carries", "hides")
WHAT = ("the moon", "a red ball", "some bread", "the river")
WHERE = ("today", "in the garden", "at night")
MOODS = {"calm": ".", "loud": "!"}  # classes, by what ends the sentence

TRAINING = {"preset": "tiny", "steps": 60, "samples": 4}
TINY = (
    "data.tokens=character",
    "network.width=64",
    "network.depth=1",
    "network.head=16",
    "train.batch=16",
    "train.warmup=5",
    "sampling.steps=12",
)
"""A run of these settings takes one to two seconds."""


def sentences(count: int = 200, seed: int = 0) -> list[str]:
    """Different sentences of the grammar, at most 240."""
    every = [" ".join(words) + "." for words in itertools.product(WHO, DOES, WHAT, WHERE)]
    return random.Random(seed).sample(every, count)


def write_sentences(path: Path, count: int = 200, seed: int = 0) -> Path:
    """A text file of sentences, parted by blank lines; returns its path."""
    path.write_text("\n\n".join(sentences(count, seed)) + "\n", encoding="utf-8")
    return path


def write_pairs(path: Path, count: int = 200, seed: int = 0) -> Path:
    """A table of sentences, each with its first words as a summary, in two classes; returns its path."""
    rows = []
    for number, (mood, ending) in zip(range(count), itertools.cycle(MOODS.items()), strict=False):
        text = sentences(count, seed)[number]
        who = next(each for each in WHO if text.startswith(each))
        rows.append({"text": text[:-1] + ending, "summary": who, "label": mood})
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path
