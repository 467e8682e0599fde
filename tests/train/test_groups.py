"""Groups of look-alikes."""

from __future__ import annotations

import numpy as np
import pytest

from unfog.train.groups import find_groups, views


def shades(each: int = 60) -> np.ndarray:
    """Dark, middle and bright pictures, in turns."""
    rng = np.random.default_rng(0)
    level = np.tile([30, 120, 220], each)[:, None, None, None]
    return (level + rng.integers(-10, 10, (3 * each, 12, 12, 1))).astype(np.uint8)


def test_pictures_that_look_alike_share_a_group() -> None:
    images = shades()
    train = np.arange(0, len(images) - 9)
    groups = find_groups(images, None, train, classes=0, wanted=3)
    assert groups.classes == (-1, -1, -1)
    assert [len(set(groups.of[kind::3])) for kind in range(3)] == [1, 1, 1]
    assert len(set(groups.of.tolist())) == 3
    assert sum(groups.shares) == pytest.approx(1)


def test_groups_stay_inside_their_class() -> None:
    images = shades()
    labels = (np.arange(len(images)) % 3 == 0).astype(np.int64)
    labels[:4] = -1
    groups = find_groups(images, labels, np.arange(len(images)), classes=2, wanted=4)
    for group, kind in enumerate(groups.classes):
        assert set(labels[groups.of == group]) <= {kind}
    assert (groups.of[:4] == -1).all()


def test_one_group_for_each_class_is_the_labels() -> None:
    images = shades()
    labels = np.arange(len(images)) % 3
    groups = find_groups(images, labels, np.arange(len(images)), classes=3, wanted=0)
    assert np.array_equal(groups.of, labels) and groups.classes == (0, 1, 2)


def test_the_same_seed_gives_the_same_groups() -> None:
    images = shades()
    one, two = (find_groups(images, None, np.arange(180), classes=0, wanted=4, seed=5) for _ in range(2))
    assert np.array_equal(one.of, two.of) and one.shares == two.shares


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (14, 14), (40, 33)])
def test_views_are_averages(size: tuple[int, int]) -> None:
    images = np.full((2, *size, 3), 51, np.uint8)
    assert views(images) == pytest.approx(0.2)
