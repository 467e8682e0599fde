"""The codec recipe: learn to make pictures small and large again, so that diffusion works on the small."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from pydantic import Field

from unfog.codec import measure_pixels, saturation_warnings
from unfog.config import Config
from unfog.errors import ConfigError
from unfog.model import CodecModel
from unfog.nets.autoencoder import AutoencoderConfig, TinyDecoderConfig
from unfog.recipes.codec_run import Encodings
from unfog.recipes.listen import Listener
from unfog.recipes.pictures import PicturesConfig, open_store
from unfog.recipes.recipe import Recipe
from unfog.rng import derive_seed
from unfog.spec import CodecSpec, build_part
from unfog.train import CodecTrainConfig

# channels at the finest level, and blocks at each level
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 32, "depth": 1},
    "small": {"width": 48, "depth": 1},
    "base": {"width": 96, "depth": 2},
}
SIDE = 16  # latents along a side, at most, while a latent stands for no more than
MOST_FACTOR = 8  # pixels along a side


class CodecDataConfig(PicturesConfig):
    """Which pictures.

    Attributes:
        flip: mirror half of the pictures left to right while training.
    """

    flip: bool = False


class CodecConfig(Config):
    """Everything that a run of the codec recipe depends on.

    Attributes:
        recipe: always "codec".
        preset: "tiny", "small" or "base": the size of the network.
        data: which pictures.
        codec: options of the autoencoder that differ from the preset, as ``AutoencoderConfig``, and
            ``factor``, pixels along a side for each latent: ``kind`` = "vq", ``latent`` = 8, ...
        tiny: options of the small decoder for previews; ``width`` = 0 for none.
        train: how to train.
    """

    recipe: str = "codec"
    preset: str = "small"
    data: CodecDataConfig
    codec: dict[str, Any] = Field(default_factory=dict)
    tiny: dict[str, Any] = Field(default_factory=dict)
    train: CodecTrainConfig = Field(default_factory=CodecTrainConfig)


def autoencoder_for(preset: str, size: int, channels: int, options: dict[str, Any]) -> dict[str, Any]:
    """The autoencoder's options: the preset, fitted to the size of the pictures, then what the user changed.

    A latent stands for as many pixels as leave at most 16 latents along a side, from 2 x 2 to 8 x 8 of them.
    Pixels are folded two by two at the door, and the rest is halved level by level, each twice as wide.

    Raises:
        ConfigError: the size is no multiple of it, or an option does not exist.
    """
    options = dict(options)
    chosen = options.pop("factor", None)
    factor = factor_for(size) if chosen is None else chosen
    if not isinstance(factor, int) or factor < 2 or factor & (factor - 1) or size % factor:
        raise ConfigError(
            f"Pictures of {size} x {size} do not fit into latents of {factor} x {factor} pixels each: give a "
            "--size that is a multiple of 8, or --set codec.factor=2, 4 or 8."
        )
    patch = options.get("patch", 2)
    width, levels = PRESETS[preset]["width"], max(1, factor // patch).bit_length()
    widths = [width * 2**level for level in range(levels)] if levels > 1 else [2 * width]
    values = {"patch": patch, "widths": widths, "depth": PRESETS[preset]["depth"], **options}
    values["channels"] = channels
    return asdict(build_part(AutoencoderConfig, values, "autoencoder"))


def factor_for(size: int) -> int:
    """Pixels along a side for each latent, 2, 4 or 8, for pictures of a size."""
    factor = 2
    while factor < MOST_FACTOR and size / factor > SIDE and size % (2 * factor) == 0:
        factor *= 2
    return factor


def prepare(config: CodecConfig, listener: Listener) -> Encodings:
    """Open, measure, and build a fresh codec for these pictures; the same for the same seed."""
    store = open_store(config.data, listener)
    statistics = measure_pixels(store.images, store.train)
    for warning in saturation_warnings(statistics):
        listener.say(f"Warning: {warning}")
    options = autoencoder_for(config.preset, store.size, store.channels, config.codec)
    shape: AutoencoderConfig = build_part(AutoencoderConfig, options, "autoencoder")
    tiny: dict[str, Any] = {}
    if config.tiny.get("width") != 0:
        known = {"channels": store.channels, "latent": shape.latent, "factor": shape.factor}
        tiny = asdict(build_part(TinyDecoderConfig, {**config.tiny, **known}, "small decoder"))
    spec = CodecSpec("codec", options, statistics.to_dict(), tiny=tiny, size=store.size)
    torch.manual_seed(derive_seed(config.train.seed, "weights"))
    model = CodecModel(spec)
    channels, height, width = model.codec.latent
    share = store.size**2 * store.channels / (channels * height * width)
    listener.say(f"latents: {width} x {height}, {channels} channels; {share:.3g} times fewer numbers")
    return Encodings(store, model)


def settled(config: CodecConfig, prepared: Encodings) -> CodecConfig:
    """The configuration with what follows from the data filled in."""
    data = config.data.model_copy(update={"size": prepared.store.size})
    return config.model_copy(update={"data": data})


CODEC = Recipe(CodecConfig, PRESETS, "pictures", prepare, settled)
