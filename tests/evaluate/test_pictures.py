import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unfog.errors import DataError
from unfog.evaluate.pictures import check_pictures, shrink, small, subset


@settings(max_examples=25, deadline=None)
@given(st.integers(8, 90), st.integers(8, 90), st.sampled_from([1, 3]), st.integers(0, 4))
def test_shrink_keeps_count_channels_and_shape(height, width, channels, count):
    images = np.random.default_rng(0).integers(0, 256, (count, height, width, channels), dtype=np.uint8)
    out = shrink(images)
    assert out.dtype == np.uint8 and out.shape[0] == count and out.shape[3] == channels
    assert max(out.shape[1:3]) == min(32, max(height, width))
    if count and max(height, width) > 32:
        assert abs(float(out.mean()) - float(images.mean())) < 6


def test_shrink_averages_areas():
    checker = np.indices((64, 64)).sum(0) % 2 * 200
    out = shrink(checker[None, :, :, None].astype(np.uint8))
    assert out.shape == (1, 32, 32, 1) and (out == 100).all()


def test_shrink_leaves_small_pictures_alone_and_tells_its_progress():
    images = np.zeros((3, 28, 28, 1), np.uint8)
    assert shrink(images) is images
    seen = []
    shrink(np.zeros((300, 40, 40, 1), np.uint8), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(256, 300), (300, 300)]


def test_small_maps_black_and_white_to_the_ends():
    x = small(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1))
    assert x.flatten().tolist() == [-1.0, 1.0]


def test_subset_has_no_repetition_and_follows_the_seed():
    chosen = subset(50, 20, 3)
    assert len(set(chosen.tolist())) == 20 and (chosen == subset(50, 20, 3)).all()
    assert sorted(subset(5, 20, 0).tolist()) == list(range(5))


@pytest.mark.parametrize(
    "bad",
    [np.zeros((2, 8, 8), np.uint8), np.zeros((2, 8, 8, 2), np.uint8), np.zeros((2, 8, 8, 1)), [[1]]],
)
def test_wrong_arrays_are_named(bad):
    with pytest.raises(DataError, match="samples"):
        check_pictures(bad, "samples")
