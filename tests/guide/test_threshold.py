"""Thresholds keep the clean estimate where pixels can be, and leave alone what is there already."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.given import Saying, process_of
from unfog.denoise import TARGETS, GaussianDenoiser
from unfog.guide import THRESHOLDS, DynamicThreshold, StaticThreshold

LOW = torch.tensor([-0.4, -1.0, -2.0])[:, None, None]
HIGH = torch.tensor([2.5, 1.0, 0.5])[:, None, None]
T = torch.tensor(0.5)


def estimates(mean: Tensor) -> GaussianDenoiser:
    """A denoiser whose clean estimate is known."""
    return GaussianDenoiser(Saying(mean), process_of("flow"), TARGETS["data"])


def inside(count: int = 2) -> Tensor:
    return LOW + (HIGH - LOW) * (0.02 + 0.96 * torch.rand(count, 3, 8, 8))


def applied(kind: str, mean: Tensor) -> Tensor:
    threshold = THRESHOLDS[kind](estimates(mean), LOW, HIGH)
    result: Tensor = threshold(torch.zeros_like(mean), T).mean
    return result


@pytest.mark.parametrize("kind", THRESHOLDS)
@pytest.mark.parametrize("size", [1.0, 5.0, 1000.0])
def test_the_range_is_kept(kind: str, size: float) -> None:
    mean = applied(kind, size * torch.randn(4, 3, 8, 8))
    assert bool((mean >= LOW - 1e-5).all()) and bool((mean <= HIGH + 1e-5).all())


@pytest.mark.parametrize("kind", THRESHOLDS)
def test_what_fits_is_left_alone(kind: str) -> None:
    """Also when a neighbour in the batch does not fit."""
    mean = inside()
    torch.testing.assert_close(applied(kind, mean), mean, rtol=0, atol=1e-6)
    mixed = torch.cat([mean[:1], 30 * torch.randn(1, 3, 8, 8)])
    torch.testing.assert_close(applied(kind, mixed)[0], mean[0], rtol=0, atol=1e-6)


def test_static_clips_each_channel() -> None:
    mean = torch.tensor([-9.0, 9.0]).repeat(3, 4, 1)[None]
    clipped = applied("static", mean)
    torch.testing.assert_close(clipped[..., 0], LOW[None, :, 0].expand(1, 3, 4))
    torch.testing.assert_close(clipped[..., 1], HIGH[None, :, 0].expand(1, 3, 4))


def test_dynamic_shrinks_towards_mid_grey_and_keeps_the_shading() -> None:
    """An example twice too wide comes back at half its contrast; nothing is cut off."""
    centre, half = (LOW + HIGH) / 2, (HIGH - LOW) / 2
    shade = torch.linspace(-2, 2, 64).view(8, 8).expand(1, 3, 8, 8)
    denoiser = DynamicThreshold(estimates(centre + half * shade), LOW, HIGH, share=1.0)
    found = denoiser(torch.zeros(1, 3, 8, 8), T).mean
    torch.testing.assert_close(found, centre + half * shade / 2, rtol=0, atol=1e-5)
    assert len(StaticThreshold(estimates(shade), LOW, HIGH)(shade, T).mean[0, 1].unique()) < 40


def test_dynamic_ignores_the_few_that_its_share_leaves_out() -> None:
    """One glaring pixel in a thousand does not darken the rest."""
    mean = torch.zeros(1, 1, 32, 32)
    mean[0, 0, 0, 0] = 50.0
    low, high = torch.tensor(-1.0), torch.tensor(1.0)
    found = DynamicThreshold(estimates(mean + 0.8 * (mean == 0)), low, high)(mean, T).mean
    assert float(found[0, 0, 5, 5]) == pytest.approx(0.8, abs=1e-6)
    assert float(found[0, 0, 0, 0]) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("kind", THRESHOLDS)
def test_the_observation_is_not_touched(kind: str) -> None:
    mean = 9 * torch.randn(2, 3, 8, 8)
    x_t = torch.randn(2, 3, 8, 8)
    posterior = THRESHOLDS[kind](estimates(mean), LOW, HIGH)(x_t, T)
    assert posterior.x_t is x_t
