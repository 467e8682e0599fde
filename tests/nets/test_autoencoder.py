"""The autoencoder: shapes, kinds, and the small decoder; its layers are held against others in interop."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from unfog.errors import ConfigError
from unfog.nets.autoencoder import Autoencoder, AutoencoderConfig, TinyDecoder, TinyDecoderConfig
from unfog.nets.autoencoder import kl_divergence as ours


@pytest.mark.parametrize(
    ("options", "factor"),
    [
        ({"patch": 2, "widths": (8, 16)}, 4),
        ({"patch": 1, "widths": (8, 8, 8), "attention": True, "grow": "full", "groups": 4}, 4),
        ({"patch": 4, "widths": (16,), "channels": 1, "latent": 6, "bound": True}, 4),
        ({"patch": 2, "widths": (8,), "kind": "vq", "codes": 16}, 2),
        ({"patch": 2, "widths": (8,), "kind": "fsq", "quant": True, "post_quant": True}, 2),
    ],
)
def test_pictures_go_in_and_come_out(options: dict[str, Any], factor: int) -> None:
    config = AutoencoderConfig(**options)
    model = Autoencoder(config)
    x = torch.randn(2, config.channels, 16, 24)
    mean, log_variance = model.moments(x)
    assert config.factor == factor
    assert mean.shape == (2, config.latent, 16 // factor, 24 // factor)
    assert (log_variance is not None) == (config.kind == "kl")
    again = model.decode(mean)
    assert again.shape == x.shape
    assert not config.bound or float(again.detach().abs().max()) <= 1
    again.square().mean().backward()  # through rounding, too
    assert model.encoder.stem.weight.grad is not None
    assert float(model.encoder.stem.weight.grad.abs().sum()) > 0


def test_extreme_variances_stay_finite() -> None:
    model = Autoencoder(AutoencoderConfig(patch=2, widths=(8,)))
    with torch.no_grad():
        model.encoder.head.bias.fill_(1e6)
    log_variance = model.moments(torch.zeros(1, 3, 4, 4))[1]
    assert log_variance is not None and float(log_variance.max()) == 20


def test_nats_from_a_standard_normal() -> None:
    mean, std = torch.randn(3, 2, 4, 4), torch.rand(3, 2, 4, 4) + 0.1
    wanted = kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).flatten(1).mean(1)
    torch.testing.assert_close(ours(mean, 2 * std.log()), wanted)
    assert float(ours(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))) == 0


def test_reach_is_how_far_a_latent_is_seen() -> None:
    """Changing one latent changes pixels up to there, and normalisation apart nothing beyond."""
    config = AutoencoderConfig(patch=2, widths=(4, 4), channels=1, latent=1)
    model = Autoencoder(config).double()
    for module in model.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.forward = lambda x: x  # type: ignore[method-assign]
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.normal_(module.weight)
    z = torch.randn(1, 1, 64, 1, dtype=torch.float64)
    other = z.clone()
    other[:, :, 0] += 1.0
    with torch.no_grad():
        changed = (model.decode(z) - model.decode(other)).abs().amax((0, 1, 3)) > 0
    farthest = int(changed.nonzero().max()) // config.factor
    assert config.reach - 3 <= farthest <= config.reach


def test_a_small_decoder_is_small_and_takes_anything() -> None:
    tiny = TinyDecoder(TinyDecoderConfig(latent=4, factor=8, width=16))
    assert tiny(torch.randn(2, 4, 3, 5)).shape == (2, 3, 24, 40)
    assert bool(tiny(torch.full((1, 4, 2, 2), 1e9)).isfinite().all())


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "vae"},
        {"grow": "wide"},
        {"widths": ()},
        {"widths": (0,)},
        {"widths": (48,), "groups": 32},
        {"kind": "fsq", "latent": 3},
        {"codes": True},
    ],
)
def test_odd_shapes_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="codec"):
        AutoencoderConfig(**options)
