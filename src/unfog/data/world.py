"""A small world made by rule: coloured shapes whose captions are true and can be checked in the pixels.

Whether a model draws what it was asked for is hard to measure in photographs. Here every scene is known:
which shapes, in which colours and sizes, how many, and where one stands from the other. A scene can be drawn
(``world_draw``), told in English and Chinese (``world_words``), and read back from any picture
(``world_read``), so that what was drawn is compared with what was asked (``world_judge``).

Some combinations are never drawn for training: one colour of every shape, and a tenth of all statements that
one thing stands so and so from another. Who has understood 'red' and 'circle' can draw a red circle without
having seen one (compositional generalisation, as in CLEVR-CoGenT, Johnson et al. 2017, arXiv 1612.06890).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from unfog.data.ground import Colour

SHAPES = ("circle", "square", "triangle", "star", "cross", "ring", "diamond", "heart")
COLOURS: dict[str, Colour] = {
    "red": (215, 40, 45),
    "orange": (245, 135, 25),
    "yellow": (250, 220, 50),
    "green": (45, 160, 65),
    "cyan": (60, 200, 220),
    "blue": (40, 85, 210),
    "purple": (120, 30, 170),
    "pink": (250, 145, 190),
    "brown": (130, 75, 35),
}
"""Far enough apart that slight changes of shade leave no doubt."""

GROUNDS: dict[str, Colour] = {"white": (245, 245, 245), "grey": (145, 145, 145), "black": (22, 22, 22)}
SIZES: dict[str, tuple[float, float]] = {"small": (0.108, 0.128), "large": (0.168, 0.195)}
"""Radii, as shares of the side of the picture."""

RELATIONS: dict[str, tuple[int, int]] = {"left": (-1, 0), "right": (1, 0), "above": (0, -1), "below": (0, 1)}
"""Where the first thing stands, seen from the second: steps to the right and down."""

OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
FORMS = {"one": 0.3, "pair": 0.45, "count": 0.25}
"""One thing, two different ones, or two to four equal ones, and how often each is drawn."""

KINDS = ("seen", "unseen")
UNSEEN_THINGS = frozenset(zip(COLOURS, SHAPES, strict=False))
"""Colour and shape that never stand together in the training part: every shape has one such colour."""


@dataclass(frozen=True)
class Thing:
    """One shape.

    Attributes:
        shape: one of ``SHAPES``.
        colour: one of ``COLOURS``.
        size: one of ``SIZES``; '' is left open.
    """

    shape: str
    colour: str
    size: str = ""


@dataclass(frozen=True)
class Scene:
    """What a picture shows, or what is asked for.

    Attributes:
        first: a thing.
        second: another one, different in shape or colour; None when there is no other.
        relation: where the first stands, seen from the second, one of ``RELATIONS``; '' without a second.
        count: how often the first is there, 1 to 4; 1 with a second.
        ground: one of ``GROUNDS``; '' is left open.
    """

    first: Thing
    second: Thing | None = None
    relation: str = ""
    count: int = 1
    ground: str = ""

    @property
    def form(self) -> str:
        """One of ``FORMS``."""
        return "pair" if self.second else "count" if self.count > 1 else "one"

    @property
    def things(self) -> tuple[Thing, ...]:
        """Every thing in it, equal ones as often as they are there."""
        return (self.first, self.second) if self.second else (self.first,) * self.count

    def turned(self) -> Scene:
        """The same scene told from the other thing: left of becomes right of."""
        if self.second is None:
            return self
        return replace(self, first=self.second, second=self.first, relation=OPPOSITE[self.relation])

    def without(self, *, size: bool = False, ground: bool = False) -> Scene:
        """The scene with sizes, or the ground, left open."""
        first, second = self.first, self.second
        if size:
            first = Thing(first.shape, first.colour)
            second = second and Thing(second.shape, second.colour)
        return Scene(first, second, self.relation, self.count, "" if ground else self.ground)


def kind(scene: Scene) -> str:
    """'seen' for what may stand in the training part, 'unseen' for what never does."""
    return "unseen" if why_unseen(scene) else "seen"


def why_unseen(scene: Scene) -> str:
    """'thing' where a colour and a shape never stand together in training, 'relation' where two things never
    stand so; '' for a scene of the training part. Sizes and ground make no difference.
    """
    if any((thing.colour, thing.shape) in UNSEEN_THINGS for thing in scene.things):
        return "thing"
    if scene.second is None:
        return ""
    told = scene if scene.relation in {"left", "above"} else scene.turned()  # one statement for both ways
    assert told.second is not None
    words = (told.first.colour, told.first.shape, told.relation, told.second.colour, told.second.shape)
    return "relation" if hashlib.sha256(" ".join(words).encode()).digest()[0] % 10 == 0 else ""


def random_scene(rng: np.random.Generator, wanted: str = "seen", form: str | None = None) -> Scene:
    """A scene with everything settled.

    Args:
        rng: where it comes from.
        wanted: one of ``KINDS``.
        form: one of ``FORMS``; by their shares when None.
    """
    form = form or str(rng.choice(list(FORMS), p=list(FORMS.values())))
    while True:
        scene = _random(rng, form)
        if scene is not None and kind(scene) == wanted:
            return scene


def _random(rng: np.random.Generator, form: str) -> Scene | None:
    ground = _one_of(rng, ("white", "white", "grey", "black"))
    first = _random_thing(rng)
    if form == "one":
        return Scene(first, ground=ground)
    if form == "count":
        return Scene(first, count=int(rng.integers(2, 5)), ground=ground)
    second = _random_thing(rng)
    if (first.shape, first.colour) == (second.shape, second.colour):
        return None
    return Scene(first, second, _one_of(rng, tuple(RELATIONS)), ground=ground)


def _random_thing(rng: np.random.Generator) -> Thing:
    return Thing(_one_of(rng, SHAPES), _one_of(rng, tuple(COLOURS)), _one_of(rng, tuple(SIZES)))


def _one_of(rng: np.random.Generator, names: tuple[str, ...]) -> str:
    return names[int(rng.integers(len(names)))]
