import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from unfog.evaluate.distance import (
    FrechetJudge,
    frechet_distance,
    frechet_gaussians,
    kernel_distance,
    moments,
    square_root,
)


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def covariance(seed, width):
    root = normal(seed, width, width)
    return root @ root.T / width + 0.1 * np.eye(width)


def test_frechet_of_commuting_gaussians_is_the_closed_form():
    mean_a, mean_b = np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 5.0])
    std_a, std_b = np.array([1.0, 0.5, 2.0]), np.array([3.0, 0.5, 1.0])
    expected = ((mean_a - mean_b) ** 2).sum() + ((std_a - std_b) ** 2).sum()
    assert frechet_gaussians(mean_a, np.diag(std_a**2), mean_b, np.diag(std_b**2)) == pytest.approx(expected)


def test_frechet_of_any_gaussians_equals_the_general_matrix_root():
    a, b, shift = covariance(1, 12), covariance(2, 12), normal(3, 12)
    expected = shift @ shift + np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert frechet_gaussians(shift, a, np.zeros(12), b) == pytest.approx(expected, rel=1e-9)


def test_sampled_gaussians_converge_to_the_closed_form():
    a, b = covariance(1, 6), covariance(2, 6)
    exact = frechet_gaussians(np.ones(6), a, np.zeros(6), b)
    x = normal(4, 100_000, 6) @ square_root(a) + 1
    y = normal(5, 100_000, 6) @ square_root(b)
    assert frechet_distance(x, y) == pytest.approx(exact, rel=0.01)


def test_few_pictures_make_the_frechet_distance_too_high_and_the_limit_takes_it_off():
    reference, width = normal(0, 5_000, 8), 8
    judge = FrechetJudge(reference)
    true = judge.distance(normal(1, 200_000, width))
    pairs = [judge.figures(normal(seed, 100, width), seed, replicates=2) for seed in range(2, 32)]
    at_n, limit = np.mean([[pair[0].value, pair[1].value] for pair in pairs], axis=0)
    assert at_n > true + 0.1
    assert abs(limit - true) < 0.2 * (at_n - true)


@pytest.mark.parametrize("count", [2, 5, 64, 200])
def test_identical_sets_have_distance_0_even_with_fewer_pictures_than_features(count):
    x = normal(0, count, 64) * 10 + 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert 0 <= frechet_distance(x, x) < 1e-4 * np.trace(moments(x)[1])


def test_few_pictures_agree_with_the_general_matrix_root():
    x, y = normal(1, 9, 20), normal(2, 12, 20) * 1.5 + 0.3
    (mean_x, a), (mean_y, b) = moments(x), moments(y)
    # the rank is low, so the general root needs a little help; ours must not
    eigenvalues = np.linalg.eigvals(a @ b)
    cross = np.sqrt(np.maximum(eigenvalues.real, 0)).sum()
    expected = ((mean_x - mean_y) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * cross
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 12), st.integers(0, 10_000))
def test_frechet_is_symmetric_never_negative_and_does_not_turn(n, m, width, seed):
    x, y = normal(seed, n, width), normal(seed + 1, m, width) + 0.5
    turn = np.linalg.qr(normal(seed + 2, width, width))[0]
    distance = frechet_distance(x, y)
    assert distance >= 0
    assert frechet_distance(y, x) == pytest.approx(distance, rel=1e-5, abs=1e-6)
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(distance, rel=1e-5, abs=1e-6)


def test_the_interval_holds_the_expected_value_most_of_the_time():
    judge = FrechetJudge(normal(0, 2_000, 4))
    figures = [judge.figures(normal(seed, 60, 4) * 1.3 + 0.2, seed, 60)[0] for seed in range(1, 61)]
    expected = np.mean([figure.value for figure in figures])
    held = np.mean([figure.low <= expected <= figure.high for figure in figures])
    assert held >= 0.88
    spread = np.std([figure.value for figure in figures])
    assert np.mean([figure.high - figure.low for figure in figures]) < 2 * 3.92 * spread


def test_a_figure_says_what_it_lacks():
    judge = FrechetJudge(normal(0, 50, 8))
    assert "at least 4" in judge.figures(normal(1, 3, 8), 0)[0].why
    at_n, limit = judge.figures(normal(1, 20, 8), 0, 3)
    assert at_n.value is not None and limit.value is None and "32" in limit.why
    assert judge.figures(np.full((40, 8), np.nan), 0)[0].why


def direct_kernel_distance(a, b):
    def k(x, y):
        return (x @ y / len(x) + 1) ** 3

    within_a = np.mean([k(a[i], a[j]) for i in range(len(a)) for j in range(len(a)) if i != j])
    within_b = np.mean([k(b[i], b[j]) for i in range(len(b)) for j in range(len(b)) if i != j])
    return within_a + within_b - 2 * np.mean([k(x, y) for x in a for y in b])


@settings(max_examples=20, deadline=None)
@given(st.integers(4, 25), st.integers(4, 25), st.integers(1, 6), st.integers(0, 10_000))
def test_kernel_distance_is_the_direct_sum(n, m, width, seed):
    a, b = normal(seed, n, width), normal(seed + 1, m, width) * 0.7 + 0.4
    figure = kernel_distance(a, b, seed)
    assert figure.value == pytest.approx(direct_kernel_distance(a, b), rel=1e-9, abs=1e-9)
    assert figure.n == n


def test_kernel_distance_is_0_on_average_for_one_law_whatever_the_number():
    for n in (20, 80):
        values = [kernel_distance(normal(s, n, 8), normal(s + 500, 200, 8)).value for s in range(200)]
        assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(200)
        assert min(values) < 0 < max(values)


def test_kernel_distance_sees_a_shift_and_its_interval_holds_the_expected_value():
    figures = [kernel_distance(normal(s, 100, 8) + 0.3, normal(s + 500, 300, 8)) for s in range(100)]
    expected = np.mean([figure.value for figure in figures])
    assert expected > 0.2
    assert np.mean([figure.low <= expected <= figure.high for figure in figures]) >= 0.88


def test_kernel_distance_of_a_set_sorted_by_class_has_no_wider_interval():
    a = np.concatenate([normal(0, 100, 4) + 3, normal(1, 100, 4) - 3])
    b = np.concatenate([normal(2, 100, 4) + 3, normal(3, 100, 4) - 3])
    mixed = np.random.default_rng(0).permutation(200)
    sorted_, shuffled = kernel_distance(a, b), kernel_distance(a[mixed], b[mixed])
    assert sorted_.value == pytest.approx(shuffled.value)
    assert sorted_.high - sorted_.low < 3 * (shuffled.high - shuffled.low)


def test_kernel_distance_says_what_it_lacks():
    assert "at least 4" in kernel_distance(normal(0, 3, 2), normal(1, 9, 2)).why
    assert kernel_distance(np.full((9, 2), np.inf), normal(1, 9, 2)).why
