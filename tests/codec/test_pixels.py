"""Pixels: measured exactly, normalised, and every one of the 256 values comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.given import pictures
from unfog.codec import PixelCodec, PixelStatistics, measure_pixels, saturation_warnings
from unfog.errors import DataError


def noise(count: int = 50, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 6, 5, channels), np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("chunk", [1, 7, 4096])
def test_statistics_are_numpys(channels: int, chunk: int) -> None:
    images = noise(channels=channels)
    images[..., 0] //= 2
    found, unit = measure_pixels(images, chunk=chunk), images / 255
    assert found.shape == (channels, 6, 5) and found.count == 50
    np.testing.assert_allclose(found.mean, unit.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(found.std, unit.std((0, 1, 2)), rtol=1e-12)
    assert found.low == unit.min() and found.high == unit.max()
    assert found.at_black == (images == 0).mean() and found.at_white == (images == 255).mean()


def test_only_the_chosen_pictures_are_measured() -> None:
    images = noise()
    chosen = np.array([3, 41, 17])
    assert measure_pixels(images, chosen) == measure_pixels(images[chosen])
    assert measure_pixels(images, chosen, chunk=2) == measure_pixels(images, chosen)


def test_pictures_may_stay_on_the_disk(tmp_path: Path) -> None:
    images = noise()
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert measure_pixels(mapped, chunk=8) == measure_pixels(images)
    assert measure_pixels(mapped, np.arange(0, 50, 3), chunk=8) == measure_pixels(images[::3])


@pytest.mark.parametrize("size", [6, 28, 64, 130])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_spread_of_flat_pictures_is_the_root_of_their_size(size: int, channels: int) -> None:
    """Black or white as a whole: in x all D values are +1 or -1 together, D in one direction."""
    shade = np.tile([0, 255], 20).astype(np.uint8)[:, None, None, None]
    images = np.broadcast_to(shade, (40, size, size, channels))
    expected = (size * size * channels * 40 / 39) ** 0.5
    assert measure_pixels(images).spread == pytest.approx(expected, rel=0.03)


def test_the_spread_of_pure_noise_is_small() -> None:
    """Independent values differ by 1 in every direction; the largest of few samples is somewhat above."""
    images = np.random.default_rng(0).integers(0, 256, (400, 8, 8, 1), np.uint8)
    assert 1 <= measure_pixels(images).spread < 1.6


@pytest.mark.parametrize("shape", [(1, 8, 8, 1), (2, 1, 1, 3), (3, 70, 1, 1), (3, 2, 99, 3)])
def test_the_spread_of_odd_sets_is_a_number(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert 1 <= measure_pixels(images).spread < 100


@pytest.mark.parametrize("indices", [None, np.array([], dtype=np.int64)])
def test_nothing_cannot_be_measured(indices: np.ndarray | None) -> None:
    images = noise(0) if indices is None else noise()
    with pytest.raises(DataError, match="no picture"):
        measure_pixels(images, indices)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_data_has_mean_0_and_std_1(channels: int) -> None:
    images = pictures(200, channels=channels)
    images[..., 0] //= 3
    x = PixelCodec(measure_pixels(images)).encode(torch.from_numpy(images).permute(0, 3, 1, 2))
    assert x.dtype == torch.float32 and x.shape == (200, channels, 8, 8)
    np.testing.assert_allclose(x.double().mean((0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(x.double().std((0, 2, 3), correction=0), 1, rtol=1e-5)


def codec(mean: float, std: float) -> PixelCodec:
    return PixelCodec(PixelStatistics((1, 16, 16), 1, (mean,), (std,), 0.0, 1.0, 0.0, 0.0))


EVERY = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)


@given(mean=st.floats(0, 1), std=st.floats(0, 0.5))
def test_all_256_values_come_back(mean: float, std: float) -> None:
    """Whatever the statistics, also of a constant channel, whose std is 0."""
    each = codec(mean, std)
    x = each.encode(EVERY)
    assert bool(x.isfinite().all())
    assert torch.equal(each.decode(x), EVERY)


def test_a_constant_channel_is_finite_and_survives() -> None:
    images = np.full((4, 8, 8, 3), 77, np.uint8)
    images[..., 1:] = pictures(4, channels=2)
    each = PixelCodec(measure_pixels(images))
    raw = torch.from_numpy(images).permute(0, 3, 1, 2)
    x = each.encode(raw)
    assert bool(x.isfinite().all()) and float(x[:, 0].abs().max()) < 1e-3
    assert torch.equal(each.decode(x), raw)


def test_beyond_black_and_white_is_clipped() -> None:
    each = codec(0.3, 0.2)
    assert each.decode(torch.tensor([-50.0, 50.0]).view(1, 1, 1, 2)).flatten().tolist() == [0, 255]


def test_limits_are_black_and_white() -> None:
    each = codec(0.3, 0.2)
    low, high = each.limits()
    ends = each.encode(torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2))
    torch.testing.assert_close(torch.stack([low, high]).flatten(), ends.flatten())


def test_overshoot_counts_what_cannot_be_shown() -> None:
    each = codec(0.0, 1.0)
    z = torch.tensor([-0.5, -1 / 255, 0.0, 0.5, 1.0, 1 + 1 / 255, 1.5, 2.0]).view(1, 1, 2, 4)
    assert each.overshoot(z) == pytest.approx(3 / 8)


def test_statistics_survive_json() -> None:
    found = measure_pixels(noise())
    again = json.loads(json.dumps(found.to_dict()))
    again = {name: tuple(v) if isinstance(v, list) else v for name, v in again.items()}
    assert PixelStatistics(**again) == found


def test_statistics_are_not_weights() -> None:
    """They live in model.json; a state_dict holds what was learned."""
    assert not codec(0.3, 0.2).state_dict()


PLAIN = measure_pixels(noise())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"std": (0.001, 0.002, 0.0)}, "one flat colour"),
        ({"at_black": 0.5, "at_white": 0.3}, "pure black"),
        ({"high": 0.25}, "16-bit"),
    ],
)
def test_odd_exposure_is_said_in_words(change: dict[str, object], words: str) -> None:
    assert saturation_warnings(PLAIN) == []
    (note,) = saturation_warnings(replace(PLAIN, **change))
    assert words in note


def test_digits_on_black_are_nothing_odd() -> None:
    grey = measure_pixels(noise(channels=1))
    assert saturation_warnings(replace(grey, at_black=0.8)) == []


def test_the_diameter_is_the_largest_distance_between_two_pictures() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
    found = measure_pixels(images)
    x = (images / 255 - found.mean) / found.std
    truth = max(float(np.linalg.norm(a - b)) for a in x for b in x)
    assert found.diameter == pytest.approx(truth, rel=1e-4)
    assert measure_pixels(images[:1]).diameter == 0.0
