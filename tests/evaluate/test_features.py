import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unfog.evaluate.features import PixelSpace, RandomSpace, Scaled


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_the_random_network_is_the_same_for_ever():
    space = RandomSpace()
    assert space.checksum() == "3294c0819f33da817bb2cff3186cd73cef6025842a67422f4e506112a15a4f66"
    ramp = np.arange(16 * 16, dtype=np.uint8).reshape(1, 16, 16, 1)
    np.testing.assert_allclose(space.features(ramp)[0, :4], [0.06650, 0.06750, 0.09974, 0.10198], rtol=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 3]), st.integers(0, 5))
def test_every_size_and_channel_gives_finite_vectors(height, width, channels, count):
    images = noise(0, count, height, width, channels)
    found = RandomSpace().features(images, batch=2)
    assert found.shape == (count, 64) and found.dtype == np.float64 and np.isfinite(found).all()
    pixels = PixelSpace(noise(1, 5, height, width, channels))
    found = pixels.features(images, batch=2)
    assert found.shape == (count, pixels.basis.shape[1]) and found.dtype == np.float64
    assert 1 <= found.shape[1] <= 4 and np.isfinite(found).all()


def test_the_batch_changes_nothing():
    images = noise(0, 10, 12, 12, 3)
    for space in (RandomSpace(), PixelSpace(noise(1, 20, 12, 12, 3))):
        np.testing.assert_allclose(space.features(images, 3), space.features(images), rtol=1e-4, atol=1e-5)


def test_grey_is_seen_as_colour_without_colour():
    grey = noise(0, 3, 16, 16, 1)
    np.testing.assert_allclose(
        RandomSpace().features(grey), RandomSpace().features(grey.repeat(3, axis=3)), rtol=1e-5
    )


def test_pixels_are_the_principal_components(digits8):
    images = digits8[0][:400]
    flat = images.reshape(400, -1) / 127.5 - 1
    flat = flat - flat.mean(0)
    exact = np.sort(np.linalg.eigvalsh(flat.T @ flat / 399))[::-1]
    found = PixelSpace(images).features(images)
    assert found.shape == (400, 64)
    np.testing.assert_allclose(found.var(0, ddof=1)[:40], exact[:40], rtol=1e-3)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-5)
    assert np.abs(np.corrcoef(found[:, :20].T) - np.eye(20)).max() < 1e-2


def test_the_random_network_tells_real_digits_from_wrong_ones(digits8):
    from unfog.evaluate.distance import frechet_distance

    images = digits8[0]
    space = RandomSpace()
    reference = space.features(images[:900])
    scaled = Scaled.to(space, reference)

    def far(pictures):
        return frechet_distance(scaled.of(space.features(pictures)), scaled.of(reference))

    real = far(images[900:])
    for wrong in (images[900:, ::-1], images[900:, :, ::-1], 255 - images[900:], noise(0, 800, 8, 8, 1)):
        assert far(wrong) > 5 * real


def test_scaled_features_have_mean_0_and_variance_1():
    images = noise(0, 30, 9, 9, 1)
    space = RandomSpace()
    features = space.features(images)
    found = Scaled.to(space, features).of(features)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-9)
    assert found.var(0).mean() == pytest.approx(1)


def test_pictures_that_are_all_equal_do_not_divide_by_0():
    images = np.full((6, 8, 8, 1), 7, np.uint8)
    for space in (RandomSpace(), PixelSpace(images)):
        features = space.features(images)
        assert np.isfinite(Scaled.to(space, features).of(features)).all()


def test_names_and_descriptions_never_say_fid():
    for space in (RandomSpace(), PixelSpace(noise(0, 5, 8, 8, 1))):
        assert space.name in ("random", "pixels") and "FID" not in space.describe()
