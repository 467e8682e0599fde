"""How far apart examples are, where it is known."""

from __future__ import annotations

import numpy as np
import pytest

from unfog.codec.measure import farthest, some, widest


def test_the_widest_direction_and_the_largest_distance() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 3)) * (5.0, 1.0, 0.1) + 7
    assert widest(x) == pytest.approx(np.std(x[:, 0], ddof=1), rel=1e-2)
    corners = np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0]])
    assert farthest(corners) == pytest.approx(5.0)
    assert farthest(np.ones((3, 2))) == 0.0


def test_some_of_many_are_evenly_spaced() -> None:
    assert some(np.arange(10), 4).tolist() == [0, 3, 6, 9]
    assert some(np.arange(3), 4).tolist() == [0, 1, 2]
