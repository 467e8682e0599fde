import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unfog.evaluate import coverage
from unfog.evaluate.coverage import distances, radii, territory, territory_figures

NAMES = {"precision", "recall", "density", "coverage"}


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def plain(samples, real):
    """The four definitions, word for word, without any shortcut."""

    def gap(a, b):
        return np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))

    def radius(points, k):
        return np.sort(gap(points, points), axis=1)[:, k]  # column 0 is the point itself

    between = gap(real, samples)
    three, five = radius(real, 3)[:, None], radius(real, 5)[:, None]
    return {
        "precision": (between <= three).any(0).mean(),
        "recall": (between <= radius(samples, 3)).any(1).mean(),
        "density": (between <= five).sum() / (5 * len(samples)),
        "coverage": (between.min(1, keepdims=True) <= five).mean(),
    }


@settings(max_examples=20, deadline=None)
@given(st.integers(6, 40), st.integers(6, 40), st.integers(1, 5), st.integers(0, 10_000))
def test_the_four_shares_are_their_definitions(m, n, width, seed):
    samples, real = normal(seed, m, width) * 1.2, normal(seed + 1, n, width)
    found = territory(samples, real)
    for name, value in plain(samples, real).items():
        assert getattr(found, name) == pytest.approx(value), name


def test_identical_sets_are_perfect():
    x = normal(0, 100, 8)
    found = territory_figures(x, x)
    assert found["precision"].value == found["recall"].value == found["coverage"].value == 1.0
    assert found["density"].value >= 1.0


def test_small_blocks_change_nothing(monkeypatch):
    samples, real = normal(0, 60, 4), normal(1, 60, 4)
    whole = territory_figures(samples, real)
    monkeypatch.setattr(coverage, "_CELLS", 130)
    assert territory_figures(samples, real) == whole
    assert [start for start, _ in distances(real, samples)] == list(range(0, 60, 2))


def test_a_lost_mode_lowers_recall_and_coverage_only():
    modes = np.repeat(np.arange(4)[:, None] * 10.0, 8, axis=1)
    real = np.concatenate([normal(i, 60, 8) + mode for i, mode in enumerate(modes)])
    full = np.concatenate([normal(10 + i, 60, 8) + mode for i, mode in enumerate(modes)])
    dropped = np.concatenate([normal(20 + i, 120, 8) + mode for i, mode in enumerate(modes[:2])])
    whole, half = territory_figures(full, real), territory_figures(dropped, real)
    assert half["precision"].value == pytest.approx(whole["precision"].value, abs=0.1)
    assert half["recall"].value <= 0.5 and half["coverage"].value <= 0.5
    assert whole["recall"].value > 0.8 and whole["coverage"].value > 0.9


def test_noise_lowers_precision_and_density():
    real = normal(0, 100, 8)
    wild = territory_figures(normal(1, 100, 8) * 5, real)
    assert wild["precision"].value < 0.2 and wild["density"].value < 0.2


def test_one_law_has_density_1_and_the_coverage_of_the_paper():
    # Naeem et al. 2020, theorem 1: 1 - (N-1)...(N-k) / ((M+N-1)...(M+N-k)), and density 1
    n, k = 200, 5
    expected = 1 - np.prod([(n - i) / (2 * n - i) for i in range(1, k + 1)])
    found = [territory_figures(normal(s, n, 3), normal(s + 99, n, 3)) for s in range(12)]
    assert np.mean([f["coverage"].value for f in found]) == pytest.approx(expected, abs=0.01)
    assert np.mean([f["density"].value for f in found]) == pytest.approx(1, abs=0.05)


def test_copies_count_as_distance_0_with_radius_0():
    doubled = np.repeat(normal(0, 10, 3) + 100, 6, axis=0)
    assert (radii(doubled, (3, 5)) == 0).all()
    found = territory(doubled, doubled)
    assert found.precision == found.recall == found.coverage == 1.0


def test_more_real_pictures_are_all_used_and_sizes_are_equal():
    found = territory_figures(normal(0, 50, 4), normal(1, 500, 4))
    assert {figure.n for figure in found.values()} == {50}
    assert all(figure.low <= figure.value <= figure.high for figure in found.values())
    few_real = territory_figures(normal(0, 500, 4), normal(1, 50, 4))
    assert {figure.n for figure in few_real.values()} == {50}


@pytest.mark.parametrize("samples", [normal(0, 5, 3), np.full((30, 3), np.nan)])
def test_what_cannot_be_computed_says_why(samples):
    found = territory_figures(samples, normal(1, 50, 3))
    assert set(found) == NAMES and all(figure.value is None and figure.why for figure in found.values())
