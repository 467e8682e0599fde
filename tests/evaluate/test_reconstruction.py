"""PSNR, SSIM and lost detail, against formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.given import pictures
from unfog.evaluate.reconstruction import lost_by_band, psnr, reconstruction, ssim

IMAGES = pictures(5, size=32, channels=3)


def shaken(images: np.ndarray, size: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.integers(-size, size + 1, images.shape)
    return np.clip(images.astype(np.int64) + noise, 0, 255).astype(np.uint8)


def test_psnr_of_a_known_error() -> None:
    black = np.zeros((2, 8, 8, 1), np.uint8)
    other = black.copy()
    other[0] += 16
    other[1, 0, 0] = 255
    assert psnr(black, other).tolist() == pytest.approx([20 * math.log10(255 / 16), 10 * math.log10(64)])
    assert psnr(black, black).tolist() == [100.0, 100.0]


def test_ssim_by_the_formula_in_one_window() -> None:
    """A picture as large as the window has one window: means, variances and covariance written out."""
    x, y = IMAGES[:1, :11, :11, :1], shaken(IMAGES, 40)[:1, :11, :11, :1]
    place = np.arange(11) - 5
    weight = np.exp(-(place**2) / (2 * 1.5**2))
    window = np.outer(weight, weight) / weight.sum() ** 2
    a, b = (each[0, :, :, 0].astype(np.float64) for each in (x, y))
    ma, mb = (window * a).sum(), (window * b).sum()
    va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
    cov = (window * (a - ma) * (b - mb)).sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    wanted = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    assert ssim(x, y).tolist() == pytest.approx([wanted])


def test_ssim_is_1_for_the_same_and_falls() -> None:
    assert ssim(IMAGES, IMAGES).tolist() == pytest.approx([1.0] * 5)
    few, many = ssim(IMAGES, shaken(IMAGES, 10)), ssim(IMAGES, shaken(IMAGES, 60))
    assert bool((few > many).all()) and bool((few < 1).all())
    assert len(ssim(IMAGES[:0], IMAGES[:0])) == 0
    assert ssim(IMAGES[:, :6, :6], IMAGES[:, :6, :6]).tolist() == pytest.approx([1.0] * 5)


@pytest.mark.parametrize(("cycles", "band"), [(12, 0), (6, 1), (3, 2), (1, 3)])
def test_a_wave_that_is_lost_is_lost_in_its_band(cycles: int, band: int) -> None:
    """Waves of 2 to 4, 4 to 8, 8 to 16 and more pixels; one of them comes back at half its height."""
    place = np.arange(32)
    waves = {c: 30 * np.cos(2 * np.pi * c * place / 32) for c in (12, 6, 3, 1)}
    line = 128 + sum(waves.values())
    less = line - 0.5 * waves[cycles]
    x, y = (np.broadcast_to(each, (2, 32, 32))[..., None].round().astype(np.uint8) for each in (line, less))
    lost = lost_by_band(x, y)
    for number, share in enumerate(lost):
        assert share == pytest.approx(0.25 if number == band else 0.0, abs=0.02)


def test_bands_that_pictures_have_nothing_in() -> None:
    flat = np.full((1, 8, 8, 1), 9, np.uint8)
    assert lost_by_band(flat, flat) == [None] * 4
    assert lost_by_band(IMAGES, IMAGES)[3] == 0.0


def test_the_whole_and_the_worst() -> None:
    again = IMAGES.copy()
    again[3] = 255 - again[3]
    found, back = reconstruction(IMAGES, lambda images: again, lambda images: shaken(images, 9))
    assert np.array_equal(back, again) and found.worst(1).tolist() == [3]
    assert found.psnr.value is not None and found.quick is not None and found.quick.value is not None
    assert found.psnr.n == 5 and 25 < found.quick.value < 40
    assert reconstruction(IMAGES, lambda images: images, None)[0].quick is None
