"""Drawings in the plane as SVG text: a field of arrows, and paths from noise to data.

Written out by hand, since a few hundred strokes need no library; the colours are the variables of the page,
so that the same text serves light and dark.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from unfog.output.charts import PAGE

Floats = NDArray[np.float64]

SIDE = 300  # of the drawing, in its own units
_HEAD = 0.36  # length of an arrow's head, as a share of the arrow


def arrow_field(points: Floats, places: Floats, arrows: Floats, *, reach: float, title: str) -> str:
    """Dots, and over them an arrow at each place.

    Args:
        points: (N, 2); those beyond ``reach`` are left out.
        places: where arrows start, (M, 2), best on a square lattice.
        arrows: their directions and strengths, (M, 2). A strength of 1 is drawn half as long as the lattice
            is wide, ever greater ones nearly as long as that, so that neighbours never meet.
        reach: the drawing shows -reach to reach along both axes.
        title: for those who cannot see it.

    Returns:
        An `<svg>` element.
    """
    lattice = 2 * reach / max(1, round(np.sqrt(len(places))) - 1)
    tips = places + lattice * arrows / (1 + np.hypot(*arrows.T))[:, None]
    strokes = []
    for start, tip in zip(_on_page(places, reach), _on_page(tips, reach), strict=True):
        back = _HEAD * (start - tip)
        side = np.array([-back[1], back[0]]) * 0.6
        if np.hypot(*(tip - start)) < 0.6:  # shorter than its own stroke is wide
            continue
        strokes.append(
            f"M{_pair(start)}L{_pair(tip)}M{_pair(tip + back + side)}L{_pair(tip)}L{_pair(tip + back - side)}"
        )
    drawn = _dots(points, reach, "orange", 2.6, 0.45) + _stroke("".join(strokes), "blue", 1.1)
    return _svg(drawn, title)


def path_plane(paths: Floats, data: Floats, *, reach: float, title: str, width: float = 1.0) -> str:
    """Lines with a ring where they begin and a dot where they end, over the data as faint dots.

    Args:
        paths: (P, T, 2).
        data: (N, 2).
        reach: the drawing shows -reach to reach along both axes.
        title: for those who cannot see it.
        width: of the lines.

    Returns:
        An `<svg>` element.
    """
    lines = "".join("M" + "L".join(_pair(place) for place in _on_page(path, reach)) for path in paths)
    rings = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="none" stroke="{_colour("ink")}"/>'
        for x, y in _on_page(paths[:, 0], reach)
    )
    drawn = _dots(data, reach, "orange", 2.6, 0.45) + _stroke(lines, "blue", width) + rings
    return _svg(drawn + _dots(paths[:, -1], reach, "green", 6, 1), title)


def _on_page(places: Floats, reach: float) -> Floats:
    """Coordinates of the drawing: y points up, the page's points down."""
    page: Floats = (places * [1, -1] / reach + 1) * (SIDE / 2)
    return page


def _dots(points: Floats, reach: float, colour: str, size: float, opacity: float) -> str:
    inside = points[(np.abs(points) < reach).all(1)]
    path = "".join(f"M{_pair(place)}h0" for place in _on_page(inside, reach))
    return (
        f'<path d="{path}" stroke="{_colour(colour)}" stroke-width="{size}" stroke-linecap="round" '
        f'opacity="{opacity}"/>'
    )


def _stroke(path: str, colour: str, width: float) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{_colour(colour)}" stroke-width="{width}" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
    )


def _pair(place: Floats) -> str:
    return f"{place[0]:.1f} {place[1]:.1f}"


def _colour(name: str) -> str:
    fixed = {variable: colour for colour, variable in PAGE.items()}[name]
    return f"var(--{name}, {fixed})"


def _svg(inner: str, title: str) -> str:
    return f'<svg viewBox="0 0 {SIDE} {SIDE}" role="img"><title>{escape(title)}</title>{inner}</svg>'
