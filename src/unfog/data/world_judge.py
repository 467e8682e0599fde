"""Whether a picture of the procedural world shows what was asked for, attribute by attribute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from unfog.data.world import Scene, Thing
from unfog.data.world_read import Found, Reading, read, relation_of

ATTRIBUTES = ("count", "shape", "colour", "binding", "size", "relation", "ground", "all")
"""What is judged. 'binding' is whether each colour is on its shape; 'all' is everything that was asked."""


@dataclass(frozen=True)
class Judgement:
    """What is right in one picture.

    Attributes:
        right: True or False for each of ``ATTRIBUTES`` that was asked; the others are not in it.
        reading: what the picture shows.
    """

    right: dict[str, bool]
    reading: Reading


def judge(asked: Scene, picture: NDArray[np.uint8]) -> Judgement:
    """Compare a picture with what was asked for.

    Things have no order, so shapes are right when the same shapes are there, wherever they are; colours and
    sizes likewise. A relation is right only when it is clear which thing is which.

    Args:
        asked: the scene; sizes and ground that it leaves open are not judged.
        picture: uint8 (S, S, 3).

    Raises:
        DataError: it is not a square picture in colour.
    """
    reading = read(picture)
    shown = [each.thing for each in reading.found]
    things = asked.things
    right = {
        "count": len(shown) == len(things),
        "shape": _same(things, shown, ("shape",)),
        "colour": _same(things, shown, ("colour",)),
        "binding": _same(things, shown, ("shape", "colour")),
    }
    if any(thing.size for thing in things):
        right["size"] = _same(things, shown, ("size",))
    if asked.second is not None:
        right["relation"] = _relation_right(asked, reading.found)
    if asked.ground:
        right["ground"] = reading.ground == asked.ground
    whole = _same(things, shown, ("shape", "colour", "size"))
    right["all"] = whole and right.get("relation", True) and right.get("ground", True)
    return Judgement(right, reading)


def _same(asked: Sequence[Thing], shown: Sequence[Thing], what: tuple[str, ...]) -> bool:
    """Whether the things can be paired so that the named attributes agree; '' agrees with any."""
    if len(asked) != len(shown):
        return False
    return any(
        all(
            getattr(a, name) in ("", getattr(b, name))
            for a, b in zip(asked, order, strict=True)
            for name in what
        )
        for order in permutations(shown)
    )


def _relation_right(asked: Scene, found: Sequence[Found]) -> bool:
    if len(found) != 2 or asked.second is None:
        return False
    one, other = found
    straight = _likeness(asked.first, one.thing) + _likeness(asked.second, other.thing)
    crossed = _likeness(asked.first, other.thing) + _likeness(asked.second, one.thing)
    if straight == crossed:  # nobody can say which is which
        return False
    first, second = (one, other) if straight > crossed else (other, one)
    return relation_of(first, second) == asked.relation


def _likeness(asked: Thing, shown: Thing) -> int:
    return (asked.shape == shown.shape) + (asked.colour == shown.colour)
