import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unfog.evaluate import memorisation
from unfog.evaluate.memorisation import chunks_of, chunks_of_pixels, identical, nearest, neighbours, pixels


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def plain_distances(a, b):
    return np.sqrt(((a[:, None].astype(np.float64) - b[None]) ** 2).sum(-1))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(3, 60), st.integers(1, 6), st.integers(1, 70), st.integers(0, 9_999))
def test_nearest_is_the_full_search_whatever_the_chunks(n, count, width, chunk, seed):
    queries, train = normal(seed, n, width), normal(seed + 1, count, width)
    parts = [train[start : start + chunk] for start in range(0, count, chunk)]
    index, distance = nearest(queries, lambda: iter(parts), 2)
    full = plain_distances(queries, train)
    np.testing.assert_allclose(distance, np.sort(full, 1)[:, :2], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(np.take_along_axis(full, index, 1), distance, rtol=1e-6, atol=1e-9)


def test_copies_are_found_at_100_percent():
    train = normal(0, 300, 20)
    which = np.random.default_rng(1).permutation(300)[:50]
    found = neighbours(train[which], chunks_of(train))
    assert (found.nearest == which).all() and (found.distance == 0).all()
    figures = found.figures()
    assert figures["copied"].value == 1.0 and figures["authentic"].value == 0.0


def test_slightly_changed_copies_are_found_and_new_pictures_are_not():
    train = normal(0, 300, 20)
    near = neighbours(train[:40] + 0.05 * normal(1, 40, 20), chunks_of(train)).figures()
    new = neighbours(normal(2, 40, 20), chunks_of(train)).figures()
    assert near["copied"].value == 1.0 and near["authentic"].value == 0.0
    assert new["copied"].value == 0.0 and new["authentic"].value > 0.4


def test_a_copy_of_a_training_picture_that_occurs_twice_still_counts():
    train = np.concatenate([normal(0, 50, 8), normal(0, 50, 8)])
    assert neighbours(train[:10], chunks_of(train)).copied.all()


def test_ratio_and_authenticity_are_their_definitions():
    queries, train = normal(0, 30, 3), normal(1, 40, 3)
    found = neighbours(queries, chunks_of(train))
    full, own = plain_distances(queries, train), plain_distances(train, train)
    np.fill_diagonal(own, np.inf)
    two = np.sort(full, 1)[:, :2]
    np.testing.assert_allclose(found.ratio, two[:, 0] / two[:, 1], rtol=1e-6)
    assert (found.authentic == (two[:, 0] > own.min(1)[full.argmin(1)])).all()
    assert (found.copied == (two[:, 0] < two[:, 1] / 3)).all()


def test_pixels_are_searched_in_chunks_and_large_pictures_are_made_small(monkeypatch):
    monkeypatch.setattr(memorisation, "_CHUNK", 7)
    images = np.random.default_rng(0).integers(0, 256, (20, 48, 64, 3), dtype=np.uint8)
    assert pixels(images).shape == (20, 24 * 32 * 3)
    found = neighbours(pixels(images[3:9]), chunks_of_pixels(images))
    assert found.nearest.tolist() == list(range(3, 9)) and found.copied.all()


def test_identical_looks_at_every_pixel_at_full_size():
    images = np.random.default_rng(0).integers(0, 256, (6, 40, 40, 1), dtype=np.uint8)
    samples = images[::-1].copy()
    samples[0, 0, 0, 0] ^= 1
    assert identical(samples, np.arange(6), images, np.arange(6)[::-1]).value == pytest.approx(5 / 6)
    assert identical(samples, np.array([1, 2]), images, np.array([4, 3])).value == 1.0
    assert identical(samples[:0], np.arange(0), images, np.arange(0)).value is None
