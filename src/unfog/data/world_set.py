"""The procedural world as a set of pictures: drawn when it is opened, the same every time, nothing fetched.

Of every twenty pictures eighteen are for training. One is held out in the ordinary way, one shows something
that never stands in the training part; the name says which: 'world#00018-seen', 'world#00019-unseen'.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from unfog.data.reader import Entry, Options, Reader
from unfog.data.world import KINDS, Scene, kind, random_scene
from unfog.data.world_draw import SIDE, draw
from unfog.data.world_words import Told, captions

COUNT = 20_000
VERSION = "1"
"""Raised whenever a picture or a caption changes."""

_EVERY = 20
_SEED = 2017


@dataclass(frozen=True)
class Drawn:
    """One picture with all that is known of it.

    Attributes:
        picture: uint8 (S, S, 3).
        scene: what it shows.
        captions: four in each language.
        held: whether training must not see it.
    """

    picture: np.ndarray
    scene: Scene
    captions: tuple[Told, ...]
    held: bool

    @property
    def kind(self) -> str:
        """One of ``KINDS``."""
        return kind(self.scene)


def drawn_at(index: int, side: int = SIDE) -> Drawn:
    """Picture number ``index`` of the set, at any side from 24 pixels."""
    rng = np.random.default_rng([_SEED, index])
    place = index % _EVERY
    scene = random_scene(rng, KINDS[place == _EVERY - 1])
    told = captions(scene, rng)
    return Drawn(draw(scene, rng, side), scene, told, place >= _EVERY - 2)


def index_of(name: str) -> int:
    """The number of a picture from its name in a store, 'world#00019-unseen' -> 19."""
    return int(name.partition("#")[2].partition("-")[0])


@dataclass
class WorldReader(Reader):
    """The named sets 'world' and 'world-64'.

    Attributes:
        side: of the pictures, in pixels.
        count: how many.
    """

    options: Options = field(default_factory=Options)
    side: int = SIDE
    count: int = COUNT
    _kept: list[Entry] = field(default_factory=list, repr=False)

    @classmethod
    def accepts(cls, source: str) -> bool:
        """Only the names themselves; a folder of that name is './world'."""
        return source in {"world", "world-64"}

    def listing(self) -> Iterator[str]:
        """Side, number and version: the pictures follow from them."""
        yield f"world\t{self.side}\t{self.count}\t{VERSION}"

    def entries(self) -> Iterator[Entry]:
        """The pictures in order, drawn once and kept for the second pass: 60 MB at 32 pixels."""
        for index in range(self.count):
            if index == len(self._kept):
                self._kept.append(_entry(index, self.side))
            yield self._kept[index]


def _entry(index: int, side: int) -> Entry:
    made = drawn_at(index, side)
    texts = tuple(told.text for told in made.captions)
    return Entry(f"world#{index:05d}-{made.kind}", made.picture, captions=texts, held=made.held)
