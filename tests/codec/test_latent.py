"""Latents: measured, normalised, brought back, and looked at quickly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.given import enliven, pictures
from unfog.codec import latent as room
from unfog.codec import measure_pixels
from unfog.codec.latent import LatentCodec, LatentStatistics, measure_latents
from unfog.errors import DataError
from unfog.nets.autoencoder import AutoencoderConfig, TinyDecoderConfig

IMAGES = pictures(32, size=16, channels=3)


def raw(images: np.ndarray = IMAGES) -> torch.Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def codec(*, kind: str = "kl", tiny: bool = True) -> LatentCodec:
    torch.manual_seed(0)
    shape = AutoencoderConfig(patch=2, widths=(8, 8), kind=kind, codes=16)
    small = TinyDecoderConfig(factor=4, width=8) if tiny else None
    made = LatentCodec(measure_pixels(IMAGES), LatentStatistics.of_nothing((4, 4, 4)), shape, small).eval()
    enliven(made.autoencoder, 0.1)
    kept = made.compress(raw()).permute(0, 2, 3, 1).numpy()
    made.remeasure(made.statistics, measure_latents(kept))
    return made


@pytest.mark.parametrize("kind", ["kl", "vq", "fsq"])
def test_x_has_mean_0_and_deviation_1_in_each_channel(kind: str) -> None:
    made = codec(kind=kind)
    x = made.encode(raw())
    assert x.shape == (32, *made.latent) and x.dtype == torch.float32 and not x.requires_grad
    assert x.mean((0, 2, 3)).abs().max() < 1e-4
    torch.testing.assert_close(x.std((0, 2, 3), correction=0), torch.ones(4), rtol=1e-3, atol=1e-3)
    low, high = made.limits()
    torch.testing.assert_close(x.amin((0, 2, 3)), low.flatten(), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(x.amax((0, 2, 3)), high.flatten(), rtol=1e-3, atol=1e-3)
    assert made.decode(x).shape == raw().shape and made.decode(x).dtype == torch.uint8


def test_what_is_kept_in_half_precision_is_as_good() -> None:
    made = codec()
    kept = made.compress(raw())
    torch.testing.assert_close(made.normalise(kept.half()), made.encode(raw()), rtol=0, atol=5e-3)


def test_to_unit_is_the_decoder_and_lets_gradients_pass() -> None:
    made = codec()
    x = made.encode(raw()[:2]).requires_grad_()
    unit = made.to_unit(x)
    torch.testing.assert_close(unit, made.autoencoder.decode(x * made.std + made.mean) / 2 + 0.5)
    unit.sum().backward()
    assert x.grad is not None and float(x.grad.abs().sum()) > 0


def test_portions_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    made = codec()
    x = made.encode(raw())
    whole = made.to_unit(x)
    monkeypatch.setattr(room, "AT_ONCE", 16 * 16 * 5)
    torch.testing.assert_close(made.encode(raw()), x)
    torch.testing.assert_close(made.to_unit(x), whole)


def test_large_pictures_go_through_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    made = codec()
    large = raw(pictures(1, size=128, channels=3))
    x = made.encode(large)
    whole = made.to_unit(x)
    monkeypatch.setattr(room, "LARGE", 64 * 64)
    monkeypatch.setattr(room, "TILE", 64)
    torch.testing.assert_close(made.encode(large), x, rtol=1e-3, atol=1e-3)
    with torch.no_grad():
        torch.testing.assert_close(made.to_unit(x), whole, rtol=1e-3, atol=1e-3)


def test_a_glance_is_by_the_small_decoder() -> None:
    made, plain = codec(), codec(tiny=False)
    x = made.encode(raw()[:3])
    assert made.glance(x).shape == (3, 3, 16, 16) and not torch.equal(made.glance(x), made.decode(x))
    assert torch.equal(plain.glance(x), plain.decode(x))


def test_a_copy_is_frozen_and_stands_alone() -> None:
    made = codec()
    copy = made.copy()
    assert not any(p.requires_grad for p in copy.parameters())
    assert torch.equal(copy.encode(raw()), made.encode(raw()))
    enliven(made.autoencoder, 1.0)
    assert not torch.equal(copy.encode(raw()), made.encode(raw()))


def test_moments_spread_and_diameter_of_known_latents() -> None:
    rng = np.random.default_rng(0)
    values = (rng.standard_normal((500, 2, 2, 3)) * (0.5, 2.0, 1.0) + (1.0, 0.0, -3.0)).astype(np.float16)
    found = measure_latents(values, np.arange(0, 500, 2), chunk=37)
    known = values[::2].astype(np.float64).reshape(-1, 3)
    np.testing.assert_allclose(found.mean, known.mean(0), atol=1e-6)
    np.testing.assert_allclose(found.std, known.std(0), rtol=1e-6)
    np.testing.assert_allclose(found.low, ((known - known.mean(0)) / known.std(0)).min(0), rtol=1e-5)
    assert found.shape == (3, 2, 2) and found.count == 250
    assert 1.0 <= found.spread < 1.5  # independent numbers differ alike in all directions
    assert 5 < found.diameter < 12
    together = np.repeat(rng.standard_normal((500, 1, 1, 1)), 12, axis=1).astype(np.float32)
    assert measure_latents(together).spread == pytest.approx(np.sqrt(12), rel=0.01)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_latents_that_are_no_numbers_and_none_at_all(bad: float) -> None:
    values = np.zeros((2, 2, 2, 1), np.float32)
    values[0, 0, 0] = bad
    with pytest.raises(DataError, match="not finite"):
        measure_latents(values)
    with pytest.raises(DataError, match="no picture"):
        measure_latents(values[:0])


def test_a_size_that_does_not_fit() -> None:
    with pytest.raises(DataError, match="multiples of 4"):
        codec().encode(torch.zeros(1, 3, 18, 16, dtype=torch.uint8))
