"""Groups of look-alikes: found again where they were made, within classes, from training pictures alone."""

from __future__ import annotations

import numpy as np
import pytest

from unfog.train.groups import FEWEST, Groups, find_groups, views


def shades(count: int, levels: int, size: int = 16, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of a few clearly different layouts, and which layout each has."""
    rng = np.random.default_rng(0)
    kind = np.arange(count) % levels
    images = np.zeros((count, size, size, channels), np.float64)
    for k in range(levels):
        images[kind == k, :, k * size // levels : (k + 1) * size // levels] = 200
    return (images + rng.integers(0, 20, images.shape)).astype(np.uint8), kind


def purity(groups: np.ndarray, kinds: np.ndarray) -> float:
    """Share of pictures whose group has mostly their kind."""
    return sum(np.bincount(kinds[groups == g]).max() for g in np.unique(groups)) / len(kinds)


def find(images: np.ndarray, labels: np.ndarray | None = None, classes: int = 0, wanted: int = 4) -> Groups:
    return find_groups(images, labels, np.arange(len(images)), classes=classes, wanted=wanted)


@pytest.mark.parametrize("channels", [1, 3])
def test_layouts_are_told_apart(channels: int) -> None:
    images, kinds = shades(4 * FEWEST, 4, channels=channels)
    found = find(images)
    assert found.of.shape == kinds.shape and len(found.classes) == 4
    assert purity(found.of, kinds) > 0.95
    assert set(found.classes) == {-1}
    assert sum(found.shares) == pytest.approx(1)
    np.testing.assert_allclose(found.shares, np.bincount(found.of) / len(images))


def test_groups_lie_within_classes() -> None:
    images, kinds = shades(8 * FEWEST, 4)
    labels = kinds % 2
    found = find(images, labels, classes=2, wanted=4)
    assert sorted(found.classes) == [0, 0, 1, 1]
    np.testing.assert_array_equal(np.array(found.classes)[found.of], labels)
    assert purity(found.of, kinds) > 0.95


def test_each_class_has_a_group_even_without_pictures() -> None:
    images, _ = shades(60, 2)
    labels = np.zeros(60, np.int64)
    found = find(images, labels, classes=3, wanted=3)
    assert found.classes == (0, 1, 2)
    assert found.shares[0] == pytest.approx(1) and 0 < found.shares[1] < 1e-6


def test_pictures_without_a_class_have_no_group() -> None:
    images, kinds = shades(40, 2)
    labels = np.where(np.arange(40) < 10, -1, kinds)
    found = find(images, labels, classes=2, wanted=2)
    assert (found.of[:10] == -1).all() and (found.of[10:] >= 0).all()
    assert sum(found.shares) == pytest.approx(1)


def test_few_pictures_are_not_split_into_memories() -> None:
    images, _ = shades(2 * FEWEST - 1, 2)
    assert len(find(images, wanted=10).classes) == 1
    images, _ = shades(3 * FEWEST, 2)
    assert len(find(images, wanted=10).classes) == 3


def test_held_out_pictures_have_no_say() -> None:
    images, _ = shades(4 * FEWEST, 4)
    train = np.arange(2 * FEWEST)
    other = images.copy()
    other[2 * FEWEST :] = 255 - other[2 * FEWEST :]
    one, two = (find_groups(i, None, train, classes=0, wanted=2) for i in (images, other))
    np.testing.assert_array_equal(one.of[train], two.of[train])
    assert one.shares == two.shares


def test_the_same_seed_finds_the_same() -> None:
    images, _ = shades(4 * FEWEST, 4)
    np.testing.assert_array_equal(find(images).of, find(images).of)


def test_one_group_for_each_class_is_the_labels() -> None:
    images, kinds = shades(90, 3)
    found = find(images, kinds, classes=3, wanted=0)
    assert np.array_equal(found.of, kinds) and found.classes == (0, 1, 2)


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (14, 14), (40, 33)])
def test_views_are_averages(size: tuple[int, int]) -> None:
    images = np.full((2, *size, 3), 51, np.uint8)
    assert views(images) == pytest.approx(0.2)
    checks = np.indices((28, 28)).sum(0)[None, ..., None] % 2 * 255
    np.testing.assert_allclose(views(checks.astype(np.uint8)), 0.5)


@pytest.mark.parametrize("size", [1, 3, 13, 31])
def test_any_size(size: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (100, size, size + 2, 3), np.uint8)
    found = find_groups(images, None, np.arange(100), classes=0, wanted=2)
    assert set(found.of) <= {0, 1}
