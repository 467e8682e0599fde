"""Plain values of the page of a model of text."""

import numpy as np
import pytest

from unfog.output.explained_text import TextLosses


def test_the_area_is_that_under_the_line_of_the_network() -> None:
    lost = (np.arange(1000) + 0.5) / 1000
    losses = TextLosses(lost=lost, lines={"network": 8 * lost**3, "even": np.full(1000, 8.0)}, count=1)
    assert losses.area == pytest.approx(2.0, abs=1e-4)
