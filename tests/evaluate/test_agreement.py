import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfog.evaluate.agreement import agreement, agreement_by_class, balance, confidence


def sure(classes, count=3, chance=0.9):
    rest = (1 - chance) / (count - 1)
    return np.full((len(classes), count), rest) + np.eye(count)[classes] * (chance - rest)


def test_agreement_counts_only_what_was_asked_for():
    figure = agreement(sure([0, 1, 2, 2]), np.array([0, 1, 1, -1]))
    assert figure.value == pytest.approx(2 / 3) and figure.n == 3
    assert agreement(sure([0, 1]), np.array([-1, -1])).why


def test_agreement_by_class_names_the_classes_asked_for():
    found = agreement_by_class(sure([0, 0, 1]), np.array([0, 1, 1]), ["cat", "dog", "emu"])
    assert {name: figure.value for name, figure in found.items()} == {"cat": 1.0, "dog": 0.5}


def test_confidence_is_the_mean_of_the_largest():
    assert confidence(sure([0, 1, 2, 0], chance=0.8)).value == pytest.approx(0.8)
    assert confidence(np.empty((0, 3))).why


def test_balance_of_equal_shares_is_1_and_of_one_class_0():
    assert balance(sure([0, 1, 2] * 20)).value == pytest.approx(1)
    assert balance(sure([1] * 60)).value == 0.0
    half = balance(sure([0, 1] * 30, count=4)).value
    assert half == pytest.approx(0.5)


def test_balance_interval_holds_the_expected_value():
    rng = np.random.default_rng(0)
    figures = [balance(sure(rng.choice(3, 200, p=[0.7, 0.2, 0.1]))) for _ in range(100)]
    expected = np.mean([figure.value for figure in figures])
    assert np.mean([figure.low <= expected <= figure.high for figure in figures]) >= 0.88


@given(st.lists(st.integers(0, 4), min_size=1, max_size=50))
def test_balance_stays_in_range(classes):
    figure = balance(sure(classes, count=5))
    assert 0 <= figure.value <= 1
    if figure.low is not None:
        assert 0 <= figure.low <= figure.value <= figure.high <= 1 + 1e-12
