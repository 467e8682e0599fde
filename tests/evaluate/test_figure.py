import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from unfog.evaluate.figure import Figure, average, jackknife, share, student, wilson


def test_wilson_equals_the_published_example():
    # Newcombe 1998, table I: 81 of 263
    low, high = wilson(81 / 263, 263)
    assert (low, high) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))


def test_wilson_has_a_width_when_all_agree():
    figure = share(np.ones(10, np.bool_))
    assert figure.value == 1.0 and figure.high == 1.0 and figure.low == pytest.approx(0.7225, abs=1e-4)


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_a_share_lies_inside_its_interval_and_inside_0_1(hits):
    figure = share(np.array(hits))
    assert 0 <= figure.low <= figure.value <= figure.high <= 1


def test_student_matches_scipy():
    assert student(7) == pytest.approx(t.ppf(0.975, 7))


def test_average_interval_is_students():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    figure = average(values)
    half = t.ppf(0.975, 3) * values.std(ddof=1) / 2
    assert (figure.low, figure.value, figure.high) == pytest.approx((4 - half, 4.0, 4 + half))


def test_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).standard_normal(40)
    left_out = (values.sum() - values) / 39
    low, high = jackknife(values.mean(), left_out)
    assert high - low == pytest.approx(2 * student(39) * values.std(ddof=1) / np.sqrt(40))


@pytest.mark.parametrize(
    "figure", [share(np.zeros(0, np.bool_)), average(np.zeros(0)), Figure.of(np.nan, None, 3)]
)
def test_what_cannot_be_computed_says_why_and_is_json(figure):
    assert figure.value is None and figure.why
    assert json.loads(json.dumps(figure.to_dict(), allow_nan=False))["why"] == figure.why
    assert figure.why in str(figure)


def test_to_dict_and_text():
    figure = Figure.of(0.5, (0.25, 0.75), 8)
    assert figure.to_dict() == {"value": 0.5, "low": 0.25, "high": 0.75, "n": 8}
    assert str(figure) == "0.5 (0.25 to 0.75)"
    assert str(Figure.of(0.5, None, 1)) == "0.5"


def test_cells_of_a_table():
    assert Figure.of(0.123456, (0.1, 0.2), 9).cell() == "0.1235 (0.1 to 0.2)"
    assert Figure.of(0.5, (0.25, 0.75), 9).cell(percent=True) == "50 % (25 to 75)"
    assert Figure.of(3.0, None, 1).cell() == "3"
    assert Figure.missing("there is nothing").cell() == "-"
