"""Drawing scenes of the procedural world: shapes as signed distances, soft edges, places without overlap.

A shape is a function of the place that gives the distance to its edge, negative inside. With the distance in
pixels, ``clip(0.5 - distance, 0, 1)`` is how much of a pixel the shape covers, so edges are soft at any size
without drawing large and shrinking.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from unfog.data.ground import Colour
from unfog.data.world import COLOURS, GROUNDS, RELATIONS, SIZES, Scene
from unfog.errors import DataError

Floats = NDArray[np.float64]
Place = tuple[float, float]
"""A point in pixels from the left and from above."""

SIDE, SMALLEST = 32, 24
REACH = 1.1
"""No shape reaches farther from its middle than this many radii."""

_TILT = math.radians(6)
_SHADE, _TINT = 0.05, 5.0
_TRIES = 40


def _square(u: Floats, v: Floats) -> Floats:
    return np.maximum(abs(u), abs(v)) - 0.77


def _triangle(u: Floats, v: Floats) -> Floats:
    slope = math.sqrt(0.75)
    return np.maximum(v, slope * abs(u) - 0.5 * v) - 0.55


def _star(u: Floats, v: Floats) -> Floats:
    # fold the plane into half a point: its tip lies on the axis, the notch beside it at 36 degrees
    radius, notch = np.hypot(u, v), 0.52
    angle = abs((np.arctan2(u, -v) + 0.2 * np.pi) % (0.4 * np.pi) - 0.2 * np.pi)
    dx, dy = notch * math.cos(0.2 * math.pi) - REACH, notch * math.sin(0.2 * math.pi)
    x, y = radius * np.cos(angle) - REACH, radius * np.sin(angle)
    distance: Floats = (dy * x - dx * y) / math.hypot(dx, dy)
    return distance


def _cross(u: Floats, v: Floats) -> Floats:
    u, v = abs(u), abs(v)
    return np.minimum(np.maximum(u - 0.98, v - 0.33), np.maximum(v - 0.98, u - 0.33))


def _ring(u: Floats, v: Floats) -> Floats:
    distance: Floats = abs(np.hypot(u, v) - 0.74) - 0.25
    return distance


def _diamond(u: Floats, v: Floats) -> Floats:
    wide, high = 0.72, REACH
    distance: Floats = (abs(u) / wide + abs(v) / high - 1) / math.hypot(1 / wide, 1 / high)
    return distance


def _heart(u: Floats, v: Floats) -> Floats:
    # two round tops, and the wedge between their tangents from the tip below
    x, y, round_, tip = 0.46, -0.34, 0.52, 1.02
    turn = math.atan2(y - tip, x) + math.acos(-round_ / math.hypot(x, y - tip))
    u = abs(u)
    tops = np.hypot(u - x, v - y) - round_
    right, down = math.cos(turn), math.sin(turn)  # across the tangent
    wedge = np.maximum(right * u + down * (v - tip), down * (u - x) - right * (v - y))
    return np.minimum(tops, wedge)


def _circle(u: Floats, v: Floats) -> Floats:
    distance: Floats = np.hypot(u, v) - 0.94
    return distance


DISTANCES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
    "ring": _ring,
    "diamond": _diamond,
    "heart": _heart,
}
"""Distance to the edge at (u, v), in radii, u to the right and v down; negative inside."""


def coverage(shape: str, side: int, x: float, y: float, radius: float, tilt: float = 0.0) -> Floats:
    """How much of each pixel a shape covers.

    Args:
        shape: one of ``SHAPES``.
        side: of the picture, in pixels.
        x: its middle, in pixels from the left edge of the picture.
        y: its middle, in pixels from the upper edge.
        radius: in pixels.
        tilt: in radians, clockwise.

    Returns:
        (side, side), 0 to 1.
    """
    place = np.arange(side) + 0.5
    dx, dy = (place - x)[None, :] / radius, (place - y)[:, None] / radius
    cos, sin = math.cos(tilt), math.sin(tilt)
    distance = DISTANCES[shape](cos * dx + sin * dy, cos * dy - sin * dx)
    # a tip that is finer than a pixel would else be drawn too long
    distance = np.maximum(distance, np.hypot(dx, dy) - REACH)
    covered: Floats = np.clip(0.5 - radius * distance, 0, 1)
    return covered


def draw(scene: Scene, rng: np.random.Generator, side: int = SIDE) -> NDArray[np.uint8]:
    """Draw a scene; what it leaves open, and place, size, tilt and shade within their limits, are random.

    Args:
        scene: what to draw.
        rng: where chance comes from; the same state gives the same picture.
        side: of the picture, in pixels, 24 or more.

    Returns:
        uint8 (side, side, 3).

    Raises:
        DataError: the side is too small to tell shapes apart.
    """
    if side < SMALLEST:
        raise DataError(
            f"Shapes cannot be told apart in {side} x {side} pixels. Give a side from {SMALLEST}."
        )
    things = scene.things
    sizes = [SIZES[thing.size or list(SIZES)[int(rng.integers(2))]] for thing in things]
    radii = [side * rng.uniform(*limits) for limits in sizes]
    places = _places(scene, radii, rng, side)
    ground = scene.ground or list(GROUNDS)[int(rng.integers(len(GROUNDS)))]
    picture = np.broadcast_to(_shade(GROUNDS[ground], rng), (side, side, 3))
    shade = rng.uniform(1 - _SHADE, 1 + _SHADE)
    for thing, (x, y), radius in zip(things, places, radii, strict=True):
        covered = coverage(thing.shape, side, x, y, radius, rng.uniform(-_TILT, _TILT))[..., None]
        colour = _shade(COLOURS[thing.colour], rng) * shade
        picture = picture + covered * (colour - picture)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def _shade(colour: Colour, rng: np.random.Generator) -> Floats:
    return np.asarray(colour, np.float64) + rng.uniform(-_TINT, _TINT, 3)


def _places(scene: Scene, radii: list[float], rng: np.random.Generator, side: int) -> list[Place]:
    """The middle of each thing, in pixels: apart from each other and from the edge, and as the relation says.

    Darts are thrown until they lie well. What is crowded stands in the quarters of the picture instead.
    """
    gap = side / 16
    edges = [REACH * radius + max(1.0, gap / 2) for radius in radii]
    for _ in range(_TRIES):
        darts = rng.random(2 * len(edges)).tolist()
        places = [
            (edge + (side - 2 * edge) * darts[2 * i], edge + (side - 2 * edge) * darts[2 * i + 1])
            for i, edge in enumerate(edges)
        ]
        if (not scene.relation or _stands(scene.relation, *places)) and _apart(places, radii, gap):
            return places
    return _crowded(scene, edges, rng, side)


def _apart(places: list[Place], radii: list[float], gap: float) -> bool:
    for i, one in enumerate(places):
        for j in range(i):
            if math.dist(one, places[j]) < REACH * (radii[i] + radii[j]) + gap:
                return False
    return True


def _stands(relation: str, first: Place, second: Place) -> bool:
    """Whether the first stands so from the second, clearly: at least twice as far along as across."""
    right, down = RELATIONS[relation]
    dx, dy = first[0] - second[0], first[1] - second[1]
    along, across = right * dx + down * dy, abs(down * dx) + abs(right * dy)
    return along >= 2 * across


def _crowded(scene: Scene, edges: list[float], rng: np.random.Generator, side: int) -> list[Place]:
    if scene.relation:  # at opposite edges, with a common line across
        right, down = RELATIONS[scene.relation]
        across = side / 2 + rng.uniform(-1, 1) * (side / 2 - max(edges))
        ends = [edges[0], side - edges[1]] if right + down < 0 else [side - edges[0], edges[1]]
        return [(end, across) if right else (across, end) for end in ends]
    quarters = rng.permutation(4)[: len(edges)]
    places = []
    for quarter, edge in zip(quarters, edges, strict=True):
        x, y = (side * (0.25 + 0.5 * part) for part in divmod(int(quarter), 2))
        slack = max(0.0, side / 4 - edge)
        places.append((x + slack * rng.uniform(-1, 1), y + slack * rng.uniform(-1, 1)))
    return places
