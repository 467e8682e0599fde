"""Reading scenes of the procedural world back from pixels, by rule: nothing is learned, so nothing is biased.

The ground is what the edge of the picture shows. What differs from it, in one piece, is a thing. Its pixels
are mixtures of ground and colour; how much of the colour each one holds is the thing's silhouette, which is
brought to one place and area and compared with the silhouettes of all shapes (template matching by
correlation). A diffusion model leaves blur and noise; both are allowed for, and what is doubtful is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from unfog.data.world import COLOURS, GROUNDS, RELATIONS, SHAPES, SIZES, Scene, Thing
from unfog.data.world_draw import coverage
from unfog.errors import DataError

Floats = NDArray[np.float64]

_SMOOTH = 0.5  # standard deviation in pixels; takes noise down without closing gaps
_FAINTEST = 34.0  # distance in RGB from the ground that still can be a thing
_GRID = 20  # places across a silhouette when it is compared
_SPECK = 0.55  # below this share of the smallest radius it is a speck, not a thing
_SPECK_PIXELS = 5  # a speck of fewer is not worth a word: it may be the edge of a thing
_BORDER = (SIZES["small"][1] + SIZES["large"][0]) / 2
_LEAST, _CLEAR = 0.88, 0.92  # likeness: below the first it is no known shape, below the second doubtful
_FARTHEST = 60.0  # distance in RGB from which on a colour is none of ours
_BLURS = (0.3, 0.7, 1.1)
_EVERYWHERE = np.ones((3, 3), np.int64)

UNKNOWN = "unknown"
"""A shape or colour that is none of the world's: a blob is not taken for the shape it is least unlike."""


@dataclass(frozen=True)
class Found:
    """One thing in a picture.

    Attributes:
        thing: shape and colour, each possibly ``UNKNOWN``, and size.
        x: its middle in pixels from the left.
        y: its middle in pixels from above.
        radius: as a share of the side of the picture.
        likeness: correlation with the silhouette of its shape, at most 1.
        lead: by how much that is more than for the next likely shape.
    """

    thing: Thing
    x: float
    y: float
    radius: float
    likeness: float
    lead: float


@dataclass(frozen=True)
class Reading:
    """What a picture shows.

    Attributes:
        found: the things, from left to right.
        ground: one of ``GROUNDS``.
        unsure: what is doubtful, in words; empty for a clear picture.
    """

    found: tuple[Found, ...]
    ground: str
    unsure: tuple[str, ...]

    @property
    def scene(self) -> Scene | None:
        """The scene, told from the thing that is found first; None where the world has no such scene."""
        things = [each.thing for each in self.found]
        if any(UNKNOWN in (thing.shape, thing.colour) for thing in things):
            return None
        if not 1 <= len(things) <= 4:
            return None
        if len(set(things)) == 1:
            return Scene(things[0], count=len(things), ground=self.ground)
        if len(things) == 2 and things[0] != things[1]:
            return Scene(things[0], things[1], relation_of(*self.found), ground=self.ground)
        return None


def relation_of(first: Found, second: Found) -> str:
    """Where the first stands, seen from the second: the direction in which they are farther apart."""
    dx, dy = first.x - second.x, first.y - second.y
    return max(RELATIONS, key=lambda name: RELATIONS[name][0] * dx + RELATIONS[name][1] * dy)


def read(picture: NDArray[np.uint8]) -> Reading:
    """Read one picture.

    Args:
        picture: uint8 (S, S, 3), S 24 or more; may be blurred, noisy or compressed.

    Raises:
        DataError: it is not a square picture in colour.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.shape[0] != picture.shape[1]:
        raise DataError(f"An array {picture.shape} is not a square picture in colour (S, S, 3).")
    pixels = picture.astype(np.float64)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])
    ground = np.median(edge, axis=0)
    noise = 1.4826 * float(np.median(abs(edge - ground)))
    smooth = ndimage.gaussian_filter(pixels, (_SMOOTH, _SMOOTH, 0), mode="nearest")
    contrast = np.linalg.norm(smooth - ground, axis=2)
    # beside a strong edge its blur is no thing of its own
    strong = ndimage.maximum_filter(contrast, 3)
    pieces, count = ndimage.label(
        contrast > np.maximum(max(_FAINTEST, 4 * noise), 0.45 * strong), _EVERYWHERE
    )
    name, doubts = _ground_name(ground)
    found: list[Found] = []
    specks = 0
    for number in range(1, count + 1):
        core = pieces == number
        one, doubt = _thing(pixels, contrast, ground, core, core | (pieces == 0))
        specks += one is None and int(core.sum()) >= _SPECK_PIXELS
        if one is not None:
            found.append(one)
            doubts += doubt
    if specks:
        doubts.append(f"{specks} speck(s) too small for a thing")
    found.sort(key=lambda each: (each.x, each.y))
    if len({each.thing for each in found}) == len(found) == 2:
        wide, high = abs(found[0].x - found[1].x), abs(found[0].y - found[1].y)
        if max(wide, high) < 1.3 * min(wide, high):
            doubts.append("the two things stand on a diagonal")
    return Reading(tuple(found), name, tuple(doubts))


def _ground_name(ground: Floats) -> tuple[str, list[str]]:
    far = {name: math.dist(colour, ground) for name, colour in GROUNDS.items()}
    name = min(far, key=far.__getitem__)
    return name, [f"the ground is {far[name]:.0f} away from {name}"] if far[name] > 60 else []


def _thing(
    pixels: Floats, contrast: Floats, ground: Floats, core: NDArray[np.bool_], free: NDArray[np.bool_]
) -> tuple[Found | None, list[str]]:
    """One piece as a thing, and what is doubtful about it; None for a speck.

    Args:
        pixels: (S, S, 3).
        contrast: (S, S), how far each pixel is from the ground.
        ground: (3,).
        core: (S, S), where the piece is.
        free: (S, S), where no other piece is.
    """
    side = len(pixels)
    # where it differs most from the ground its colour is unmixed
    colour = pixels[core & (contrast >= np.quantile(contrast[core], 0.75))].mean(0)
    axis = colour - ground
    near = ndimage.binary_dilation(core, iterations=2) & free
    mixed = (pixels - ground) @ axis / max(float(axis @ axis), 1.0)
    share = np.where(near, np.clip(mixed, -0.25, 1.2), 0.0)  # as much below 0 as noise, so that it cancels
    mass = float(share.sum())
    if mass < math.pi * (_SPECK * SIZES["small"][0] * side) ** 2:
        return None, []
    place = np.arange(side) + 0.5
    x, y = float(place @ share.sum(0)) / mass, float(place @ share.sum(1)) / mass
    shape, likeness, lead = _shape(share, x, y, mass)
    radius = math.sqrt(mass / _area(shape)) / side
    names = _near_colours(colour, ground)
    size = "small" if radius < _BORDER else "large"
    doubts = []
    where = f"at ({x:.0f}, {y:.0f})"
    if likeness < _CLEAR or lead < 0.006:
        doubts.append(f"the shape {where} is only faintly a {shape}")
    if names[0][1] > _FARTHEST or names[1][1] - names[0][1] < 10:
        doubts.append(f"the colour {where} is not clearly {names[0][0]}")
    if not 0.8 * SIZES["small"][0] < radius < 1.25 * SIZES["large"][1] or abs(radius / _BORDER - 1) < 0.05:
        doubts.append(f"the size {where} is neither small nor large")
    known = Thing(
        shape if likeness >= _LEAST else UNKNOWN, names[0][0] if names[0][1] <= _FARTHEST else UNKNOWN, size
    )
    return Found(known, x, y, radius, likeness, lead), doubts


def _near_colours(colour: Floats, ground: Floats) -> list[tuple[str, float]]:
    """All colours by distance in RGB, nearest first. A thin thing is a little mixed with the ground."""
    far = []
    for name, pure in COLOURS.items():
        line = np.asarray(pure) - ground
        mixed = np.clip((colour - ground) @ line / float(line @ line), 0.8, 1.0)
        far.append((name, float(np.linalg.norm(colour - ground - mixed * line))))
    return sorted(far, key=lambda each: each[1])


def _shape(share: Floats, x: float, y: float, mass: float) -> tuple[str, float, float]:
    """The likeliest shape, its correlation, and its lead over the next one."""
    seen = _silhouette(share, x, y, mass)
    names, bank = _templates(max(1, round(2 * math.sqrt(mass))))
    likeness = (bank @ seen).reshape(len(names), -1).max(1)
    first, second = np.argsort(likeness)[::-1][:2]
    return names[first], float(likeness[first]), float(likeness[first] - likeness[second])


def _silhouette(share: Floats, x: float, y: float, mass: float) -> Floats:
    """A silhouette at one place and area: (_GRID ** 2,) of mean 0 and length 1."""
    steps = np.linspace(-1, 1, _GRID) * math.sqrt(mass)
    rows, columns = np.meshgrid(y - 0.5 + steps, x - 0.5 + steps, indexing="ij")
    seen = ndimage.map_coordinates(share, [rows, columns], order=1).ravel()
    seen = seen - seen.mean()
    unit: Floats = seen / max(float(np.linalg.norm(seen)), 1e-9)
    return unit


@cache
def _templates(twice_root: int) -> tuple[tuple[str, ...], Floats]:
    """Silhouettes of all shapes with an area of about (twice_root / 2) ** 2 pixels, at several blurs."""
    root = twice_root / 2
    side = 2 * math.ceil(1.6 * root) + 6
    rows = []
    for shape in SHAPES:
        radius = root / math.sqrt(_area(shape))
        for blur in _BLURS:
            for shift in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)):
                x, y = side / 2 + shift[0], side / 2 + shift[1]
                covered = ndimage.gaussian_filter(coverage(shape, side, x, y, radius), blur)
                mass, place = float(covered.sum()), np.arange(side) + 0.5
                middle = float(place @ covered.sum(0)) / mass, float(place @ covered.sum(1)) / mass
                rows.append(_silhouette(covered, *middle, mass))
    return SHAPES, np.stack(rows)


@cache
def _area(shape: str) -> float:
    """The area of a shape of radius 1."""
    radius = 100.0
    return float(coverage(shape, 256, 128, 128, radius).sum()) / radius**2
