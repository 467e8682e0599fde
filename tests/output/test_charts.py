import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unfog.output.charts import COLOURS, PAGE, Series, histogram_chart, line_chart, smoothed

anything = st.floats(allow_nan=True, allow_infinity=True)


def texts_of(svg):
    return [text for _, text in re.findall(r"<text( [^>]*)?>([^<]*)</text>", svg)]


@settings(max_examples=15)
@given(y=st.lists(anything, max_size=30), log=st.booleans(), points=st.booleans())
def test_any_values_give_well_formed_svg(y, log, points):
    svg = line_chart([Series("a", range(len(y)), y)], x_label="x", y_label="y", log=log, points=points)
    usable = [v for v in y if abs(v) < 1e30 and (v > 1e-30 or not log)]
    assert bool(svg) == bool(usable)
    if svg:
        ElementTree.fromstring(svg)
        assert "nan" not in svg and "inf" not in svg


@settings(max_examples=15)
@given(low=st.floats(1e-9, 1e6), factor=st.floats(1.01, 1e6), log=st.booleans())
def test_axes_are_numbered_at_a_few_places(low, factor, log):
    svg = line_chart([Series("", [0, 1], [low, low * factor])], x_label="", y_label="", log=log)
    assert 4 <= len(texts_of(svg)) <= 22


def test_words_are_escaped_and_formulas_are_not_made():
    lines = [Series("<b>", [0, 1], [1, 2]), Series("$a_1$ & b", [0, 1], [1, 2], colour=1)]
    svg = line_chart(lines, x_label='"<script>', y_label="]]> 损失")
    assert "<script" not in svg and "<b>" not in svg
    ElementTree.fromstring(svg)
    assert {"&lt;b&gt;", "$a_1$ &amp; b", "]]&gt; 损失"} <= set(texts_of(svg))


def test_it_needs_nothing_else_and_repeats_itself():
    def draw():
        return line_chart([Series("a", [0, 1], [1, 2])], x_label="x", y_label="y")

    svg = draw()
    assert svg == draw()
    assert (
        "<style" not in svg and "<metadata" not in svg and 'href="http' not in svg and "url(http" not in svg
    )


def test_names_inside_are_the_drawings_own():
    def names(title):
        svg = line_chart([Series("", [0, 1], [1, 2])], x_label="x", y_label=title, points=True)
        return set(re.findall(r' id="([^"]*)"', svg)), set(re.findall(r'(?:url\(#|href="#)([^")]*)', svg))

    (first, used), (second, _) = names("loss"), names("rate")
    assert used == first and not first & second


def test_colours_are_the_pages():
    series = [Series(str(n), [0, 1], [n, n + 1], colour=n) for n in range(4)]
    svg = line_chart(series, x_label="x", y_label="y")
    for colour in COLOURS:
        assert f"var(--{PAGE[colour]}, {colour})" in svg
    assert not re.search(r"(?<!, )#[0-9a-f]{6}", svg), "a colour that does not follow the page"


def test_long_series_are_thinned():
    steps = np.arange(100_000)
    lines = [Series("raw", steps, 1 + np.sin(steps), faint=True), Series("s", steps, 1 + steps * 0.0)]
    assert len(line_chart(lines, x_label="x", y_label="y", log=True)) < 60_000


def test_one_point_and_flat_lines():
    assert "<use" in line_chart([Series("", [3], [2])], x_label="x", y_label="y", log=True)
    assert line_chart([Series("", [1, 2], [0, 0])], x_label="x", y_label="y")
    assert line_chart([], x_label="x", y_label="y") == ""


def test_an_axis_that_nearly_reaches_zero_starts_there():
    assert "0" in texts_of(line_chart([Series("", [5, 6], [0.1, 5])], x_label="x", y_label="y"))


def test_a_faint_cloud_does_not_set_the_range():
    cloud, line = Series("c", [0, 1], [1, 1e6], faint=True), Series("l", [0, 1], [1, 2])
    shown = texts_of(line_chart([cloud, line], x_label="", y_label="", log=True))
    assert not {"100k", "1M"} & set(shown)


def test_histogram():
    svg = histogram_chart(
        [Series("a", [0.5, 1.5], [0.2, 0.8]), Series("b", [0.5], [1], colour=1)], x_label="v", y_label="s"
    )
    ElementTree.fromstring(svg)
    assert {"a", "b", "v", "s"} <= set(texts_of(svg))
    assert histogram_chart([], x_label="v", y_label="s") == ""


def test_smoothing_keeps_constants_ignores_gaps_and_does_not_lag():
    assert smoothed([2.0] * 5, 3).tolist() == pytest.approx([2.0] * 5)
    assert np.isfinite(smoothed([1, math.nan, 1], 2)).all()
    line = np.arange(200.0)
    assert np.abs(smoothed(line, 5) - line)[50:150].max() < 0.01


def test_a_legend_with_long_names_stands_apart_from_the_name_of_the_axis():
    lines = [Series(f"a name so long {i}", [0, 1], [1, 2], colour=i) for i in range(4)]

    def heights(apart):
        svg = line_chart(lines, x_label="", y_label="the axis", apart=apart)
        found = {}
        for text in ElementTree.fromstring(svg).iter("text"):
            place = re.search(r"translate\(([\d.-]+) ([\d.-]+)\)", text.get("transform") or "")
            y = float(place[2]) if place else float(text.get("y"))
            x = float(place[1]) if place else float(text.get("x"))
            found[text.text] = (x, y)
        axis = found["the axis"][1]
        return [found[line.name][1] - axis for line in lines], [found[line.name][0] for line in lines]

    below, columns = heights(True)
    assert max(below) < -10 and len(set(columns)) == 2  # two columns, all above the axis' name
    assert min(heights(False)[0]) > -10
