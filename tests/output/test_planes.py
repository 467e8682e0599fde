"""Drawings in the plane: well-formed, within their frame, arrows of the right direction and length."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from unfog.output.planes import SIDE, arrow_field, path_plane

LATTICE = np.stack(np.meshgrid(np.linspace(-1, 1, 3), np.linspace(-1, 1, 3)), -1).reshape(-1, 2)


def numbers(path: str) -> np.ndarray:
    return np.array([float(n) for n in re.findall(r"-?[\d.]+", path.replace("h0", ""))]).reshape(-1, 2)


def paths(svg: str) -> list[str]:
    return [element.get("d") or "" for element in ElementTree.fromstring(svg).iter("path")]


@pytest.mark.parametrize("strength", [0.5, 1.0, 30.0])
def test_an_arrow_points_where_it_should_and_never_reaches_its_neighbour(strength: float) -> None:
    arrows = np.tile([0.0, strength], (9, 1))
    drawn = numbers(paths(arrow_field(np.zeros((0, 2)), LATTICE, arrows, reach=1.0, title="t"))[1])
    starts, tips = drawn[0::5], drawn[1::5]
    assert len(starts) == 9
    assert np.allclose(starts[:, 0], tips[:, 0])
    length = (starts - tips)[:, 1]  # upwards on the page is towards smaller y
    assert np.allclose(length, SIDE / 2 * strength / (1 + strength), atol=0.11)
    assert (length < SIDE / 2).all()


def test_arrows_of_no_length_are_left_out() -> None:
    assert paths(arrow_field(LATTICE, LATTICE, np.zeros((9, 2)), reach=1.0, title="t"))[1] == ""


def test_points_beyond_the_frame_are_left_out() -> None:
    points = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, -5.0]])
    drawn = numbers(paths(arrow_field(points, LATTICE, np.ones((9, 2)), reach=2.0, title="t"))[0])
    assert drawn.tolist() == [[SIDE / 2, SIDE / 2]]


def test_paths_begin_at_rings_and_end_at_dots() -> None:
    lines = np.array([[[0.0, 0.0], [0.5, 0.5]], [[-1.0, 0.0], [0.0, 1.0]]])
    svg = path_plane(lines, np.zeros((4, 2)), reach=2.0, title="a < b & c")
    tree = ElementTree.fromstring(svg)
    rings = [(float(c.get("cx") or 0), float(c.get("cy") or 0)) for c in tree.iter("circle")]
    assert rings == [(SIDE / 2, SIDE / 2), (SIDE / 4, SIDE / 2)]
    assert numbers(paths(svg)[-1]).tolist() == [[SIDE * 0.625, SIDE * 0.375], [SIDE / 2, SIDE / 4]]
    assert tree.find("title").text == "a < b & c"  # type: ignore[union-attr]
