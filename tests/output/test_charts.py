import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfog.output.charts import Series, histogram_chart, line_chart, number, smoothed, ticks

anything = st.floats(allow_nan=True, allow_infinity=True)


def numbers_of(svg):
    return [
        float(n) for n in re.findall(r"[ML ]\s?(-?\d+\.?\d*)", " ".join(re.findall(r' d="([^"]*)"', svg)))
    ]


@given(y=st.lists(anything, max_size=30), log=st.booleans(), points=st.booleans())
def test_any_values_give_well_formed_svg_inside_its_frame(y, log, points):
    svg = line_chart([Series("a", range(len(y)), y)], x_label="x", y_label="y", log=log, points=points)
    usable = [v for v in y if abs(v) < 1e30 and (v > 1e-30 or not log)]
    assert bool(svg) == bool(usable)
    if svg:
        ElementTree.fromstring(svg)
        assert "nan" not in svg and "inf" not in svg
        assert all(-1 <= n <= 441 for n in numbers_of(svg))


def test_words_are_escaped():
    lines = [Series("<b>", [0, 1], [1, 2]), Series("&", [0, 1], [1, 2], colour=1)]
    svg = line_chart(lines, x_label='"<script>', y_label="]]>")
    assert "<script" not in svg and "<b>" not in svg and "&lt;b&gt;" in svg
    ElementTree.fromstring(svg)


def test_long_series_are_thinned():
    steps = np.arange(100_000)
    lines = [Series("raw", steps, 1 + np.sin(steps), faint=True), Series("s", steps, 1 + steps * 0.0)]
    assert len(line_chart(lines, x_label="x", y_label="y", log=True)) < 40_000


def test_one_point_and_flat_lines():
    assert "<circle" in line_chart([Series("", [3], [2])], x_label="x", y_label="y", log=True)
    assert line_chart([Series("", [1, 2], [0, 0])], x_label="x", y_label="y")
    assert line_chart([], x_label="x", y_label="y") == ""


def test_axis_that_nearly_reaches_zero_starts_there():
    svg = line_chart([Series("", [0, 1], [0.1, 5])], x_label="x", y_label="y")
    assert ">0</text>" in svg


def test_histogram():
    svg = histogram_chart(
        [Series("a", [0.5, 1.5], [0.2, 0.8]), Series("b", [0.5], [1], colour=1)], x_label="v", y_label="s"
    )
    ElementTree.fromstring(svg)
    assert svg.count("fill-opacity") == 2
    assert histogram_chart([], x_label="v", y_label="s") == ""


@given(low=st.floats(1e-9, 1e6), factor=st.floats(1.01, 1e6), log=st.booleans())
def test_ticks_are_few_and_inside(low, factor, log):
    high = low * factor
    found = ticks(low, high, log)
    assert 1 <= len(found) <= 11
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in found) and found == sorted(found)


def test_smoothing_keeps_constants_ignores_gaps_and_does_not_lag():
    assert smoothed([2.0] * 5, 3).tolist() == pytest.approx([2.0] * 5)
    assert np.isfinite(smoothed([1, math.nan, 1], 2)).all()
    line = np.arange(200.0)
    assert np.abs(smoothed(line, 5) - line)[50:150].max() < 0.01


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (12_000, "12k"),
        (1_500_000, "1.5M"),
        (0.003, "0.003"),
        (1e-5, "1e-5"),
        (2.5, "2.5"),
        (-4, "-4"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text
