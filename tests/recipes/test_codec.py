"""The codec recipe's choices."""

from __future__ import annotations

from pathlib import Path

import pytest

from unfog.errors import ConfigError
from unfog.nets.autoencoder import AutoencoderConfig
from unfog.recipes import codec
from unfog.recipes.listen import Silent
from unfog.spec import build_part


@pytest.mark.parametrize(
    ("size", "factor"), [(8, 2), (16, 2), (28, 2), (32, 2), (48, 4), (64, 4), (100, 4), (128, 8), (512, 8)]
)
def test_latents_are_at_most_16_along_a_side(size: int, factor: int) -> None:
    assert codec.factor_for(size) == factor
    for preset in codec.PRESETS:
        options = codec.autoencoder_for(preset, size, 3, {})
        assert build_part(AutoencoderConfig, options, "autoencoder").factor == factor


def test_what_the_user_says_wins() -> None:
    options = codec.autoencoder_for("small", 64, 1, {"factor": 8, "kind": "vq", "latent": 6, "depth": 3})
    shape = build_part(AutoencoderConfig, options, "autoencoder")
    assert (shape.factor, shape.kind, shape.latent, shape.depth, shape.channels) == (8, "vq", 6, 3, 1)
    assert codec.autoencoder_for("tiny", 64, 3, {"factor": 8, "patch": 4})["widths"] == (32, 64)


@pytest.mark.parametrize(("size", "options"), [(30, {"factor": 4}), (15, {}), (64, {"factor": 3})])
def test_sizes_that_do_not_fit_are_named(size: int, options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"--size.*codec\.factor"):
        codec.autoencoder_for("small", size, 3, options)


def test_prepare_is_the_same_for_the_same_seed(shapes: Path) -> None:
    config = codec.CodecConfig(data=codec.CodecDataConfig(source=str(shapes)))
    one, two = codec.prepare(config, Silent()), codec.prepare(config, Silent())
    assert one.model.fingerprint() == two.model.fingerprint()
    assert one.model.codec.latent == (4, 8, 8) and one.model.codec.tiny is not None
    plain = codec.prepare(config.model_copy(update={"tiny": {"width": 0}}), Silent())
    assert plain.model.codec.tiny is None
    assert codec.settled(config, one).data.size == 16
