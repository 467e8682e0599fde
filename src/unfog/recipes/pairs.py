"""The pairs recipe: learn which text goes with which picture, and to imagine pictures of a text as vectors.

What comes of it is the first half of DALL-E's way (Ramesh et al. 2022, arXiv 2204.06125): visual words and
their prior. It also judges how well other models keep to their prompts.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import torch
from pydantic import Field

from unfog.codec import measure_pixels, saturation_warnings
from unfog.config import Config
from unfog.model.pairs import PairModel
from unfog.nets.gaze import GazeConfig
from unfog.recipes.listen import Listener
from unfog.recipes.pairs_run import Pairs
from unfog.recipes.pictures import PicturesConfig, open_store
from unfog.recipes.recipe import Recipe
from unfog.recipes.text2image import TextConfig, captions_of, language_for, read, reading
from unfog.rng import derive_seed
from unfog.spec import PairSpec, build_part
from unfog.train import PairTrainConfig
from unfog.train.captions import Captions, PairedCaptions

# channels at the finest level, numbers in a visual word, and width of tokens of a text and inside the prior
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 24, "word": 16, "inside": 128},
    "small": {"width": 32, "word": 32, "inside": 256},
    "base": {"width": 64, "word": 48, "inside": 512},
}
COARSEST = 8  # places along a side, at most, that visual words look at


class PairsConfig(Config):
    """Everything that a run of the pairs recipe depends on.

    Attributes:
        recipe: always "pairs".
        preset: "tiny", "small" or "base": the size of the networks.
        data: which pictures; they need captions.
        text: how captions are read.
        gaze: options of the picture encoder that differ from the preset, as ``GazeConfig``.
        prior: options of the prior's network that differ from the preset: width, depth, dropout.
        train: how to train.
    """

    recipe: str = "pairs"
    preset: str = "small"
    data: PicturesConfig
    text: TextConfig = Field(default_factory=TextConfig)
    gaze: dict[str, Any] = Field(default_factory=dict)
    prior: dict[str, Any] = Field(default_factory=dict)
    train: PairTrainConfig = Field(default_factory=PairTrainConfig)


def gaze_for(preset: str, size: int, channels: int, options: dict[str, Any]) -> dict[str, Any]:
    """The picture encoder's options: the preset, fitted to the size of the pictures, then the user's changes.

    Pixels are folded two by two, and the rest is halved level by level until 8 x 8 places are left.
    """
    patch = options.get("patch", 2)
    widths, side = [PRESETS[preset]["width"]], -(-size // patch)
    while side > COARSEST:
        widths.append(min(2 * widths[-1], 4 * widths[0]))
        side = -(-side // 2)
    values = {"patch": patch, "widths": widths, "word": PRESETS[preset]["word"], **options}
    last = values["widths"][-1] if isinstance(values["widths"], list) else 32
    values.setdefault("head", math.gcd(32, last))
    return asdict(build_part(GazeConfig, {**values, "channels": channels}, "picture encoder"))


def prepare(config: PairsConfig, listener: Listener) -> Pairs:
    """Open, read the captions, measure, and build a fresh model; the same for the same seed."""
    store = open_store(config.data, listener)
    captions = captions_of(store)
    flat = [text for each in captions for text in each]
    language, tokens = language_for(config.text, flat, [text for i in store.train for text in captions[i]])
    words = read(language, flat, listener)
    statistics = measure_pixels(store.images, store.train)
    for warning in saturation_warnings(statistics):
        listener.say(f"Warning: {warning}")
    inside = PRESETS[config.preset]["inside"]
    spec = PairSpec(
        recipe="pairs",
        gaze=gaze_for(config.preset, store.size, store.channels, config.gaze),
        prior={"width": inside, **config.prior},
        text=reading(config.text, config.preset, language, tokens) | {"width": inside},
        statistics=statistics.to_dict(),
    )
    torch.manual_seed(derive_seed(config.train.seed, "weights"))
    told = PairedCaptions(Captions(words, [len(each) for each in captions], config.train.seed))
    return Pairs(store, PairModel(spec, tokens=tokens), told, captions)


def settled(config: PairsConfig, prepared: Pairs) -> PairsConfig:
    """The configuration with what follows from the data filled in."""
    data = config.data.model_copy(update={"size": prepared.store.size})
    return config.model_copy(update={"data": data})


PAIRS = Recipe(PairsConfig, PRESETS, "pictures with captions", prepare, settled)
