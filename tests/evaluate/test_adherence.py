"""The judge of prompts is right about pictures that show what was asked, and about those that do not."""

from __future__ import annotations

import numpy as np
import pytest

from unfog.data.world import KINDS
from unfog.data.world_draw import draw
from unfog.data.world_words import LANGUAGES
from unfog.evaluate.adherence import adherence, questions


def drawn(scene, seed: int, side: int = 32) -> np.ndarray:
    """A picture of a scene; what it leaves open is chosen."""
    from dataclasses import replace

    def whole(thing):
        return thing and replace(thing, size=thing.size or "large")

    complete = replace(
        scene, first=whole(scene.first), second=whole(scene.second), ground=scene.ground or "white"
    )
    return draw(complete, np.random.default_rng(seed), side)


def test_questions_are_fair_and_the_same_again() -> None:
    asked = questions(80, 3)
    assert asked == questions(80, 3) != questions(80, 4)
    for kind in KINDS:
        for language in LANGUAGES:
            assert sum((q.kind, q.language) == (kind, language) for q in asked) == 20
    assert all(q.text.isascii() == (q.language == "en") for q in asked)


def test_what_was_asked_is_found_right_and_something_else_wrong() -> None:
    asked = questions(120)
    right = np.stack([drawn(q.scene, i) for i, q in enumerate(asked)])
    for found in adherence(asked, right):
        assert all(figure.value == pytest.approx(1.0, abs=0.04) for figure in found.figures.values())
    wrong = adherence(asked, np.roll(right, 1, axis=0))
    assert all(found.figures["all"].value < 0.2 for found in wrong)


def test_only_what_was_asked_counts() -> None:
    asked = [q for q in questions(60) if q.scene.second is None][:8]
    pictures = np.stack([drawn(q.scene, i) for i, q in enumerate(asked)])
    assert all("relation" not in found.figures for found in adherence(asked, pictures))
