"""Do pictures show what was asked for? In the procedural world that can be read off the pixels.

Prompts of that world come with the scene they ask for, and a rule-based reader finds scenes in pictures
(``data/world_read.py``), so every attribute is judged by itself, in both languages, for combinations that
training showed and for those that it never did (as in GenEval, Ghosh et al. 2023, arXiv 2310.11513, without
a detector that may err). What real held-out pictures reach with the same judge stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unfog.data.world import KINDS, Scene
from unfog.data.world_judge import ATTRIBUTES, judge
from unfog.data.world_words import LANGUAGES, prompts
from unfog.evaluate.figure import Figure, share


@dataclass(frozen=True)
class Question:
    """One prompt and what it asks for.

    Attributes:
        text: the prompt.
        language: of it.
        kind: "seen" or "unseen": whether training shows such combinations.
        scene: what is asked for.
    """

    text: str
    language: str
    kind: str
    scene: Scene


@dataclass(frozen=True)
class Adherence:
    """How often each attribute is right.

    Attributes:
        kind: of the combinations.
        language: of the prompts.
        figures: share of pictures, by attribute; of those in which it was asked for.
    """

    kind: str
    language: str
    figures: dict[str, Figure]


def questions(n: int, seed: int = 0) -> list[Question]:
    """n prompts: combinations seen and unseen, and languages, in equal parts; the same for the same seed."""
    found: list[Question] = []
    each = -(-n // (len(KINDS) * len(LANGUAGES)))
    for kind in KINDS:
        for number, prompt in enumerate(prompts(seed, each * len(LANGUAGES), kind)):
            language = LANGUAGES[number % len(LANGUAGES)]
            text = prompt.english if language == "en" else prompt.chinese
            found.append(Question(text, language, kind, prompt.scene))
    order = np.random.default_rng(seed).permutation(len(found))[:n]
    return [found[place] for place in order]


def adherence(asked: Sequence[Question], pictures: NDArray[np.uint8]) -> list[Adherence]:
    """Judge pictures, one for each question.

    Args:
        asked: what was asked for.
        pictures: uint8, (N, S, S, 3).

    Raises:
        DataError: these are not square pictures in colour.
    """
    right = [judge(question.scene, picture).right for question, picture in zip(asked, pictures, strict=True)]
    found = []
    for kind in KINDS:
        for language in LANGUAGES:
            mine = [r for q, r in zip(asked, right, strict=True) if (q.kind, q.language) == (kind, language)]
            figures = {
                name: share(np.array([each[name] for each in mine if name in each]))
                for name in ATTRIBUTES
                if any(name in each for each in mine)
            }
            if mine:
                found.append(Adherence(kind, language, figures))
    return found
