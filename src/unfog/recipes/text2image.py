"""The text-to-image recipe: learn from pictures with captions, and draw what words ask for.

Imagen's way (Saharia et al. 2022, arXiv 2205.11487): a frozen language model reads the prompt, diffusion
draws, guidance keeps to the words, and thresholding keeps the pixels unsaturated. Where there is no language
model for the captions, or none is wanted, an encoder learns to read with the network.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field, field_validator

from unfog.adapt import with_picture_prompts
from unfog.codec import PixelStatistics, TokenCodec, measure_pixels, saturation_warnings
from unfog.condition import LanguageModel, Spelling, open_language
from unfog.condition.word_cache import WordStore, open_words
from unfog.config import Config
from unfog.data import PictureStore
from unfog.errors import TrainError
from unfog.model import PairModel, PictureModel, load_pictures
from unfog.model.asked import OWN
from unfog.model.looks import PromptsAndLooks
from unfog.model.vocabulary import tokens_hash
from unfog.recipes.image import (
    PRESETS,
    DataConfig,
    most_noise,
    network_of,
    opened,
    sampling_for,
    schedule_for,
    settled,
    shapes_of,
)
from unfog.recipes.image_run import SHOWN, Pictures
from unfog.recipes.latents import encode_store, latents_again
from unfog.recipes.listen import Listener
from unfog.recipes.pictures import open_store
from unfog.recipes.recipe import Recipe
from unfog.recipes.visual import look_at, open_pairs, pairs_part
from unfog.rng import derive_seed
from unfog.spec import Sampling, Spec, build_part
from unfog.train import TrainConfig
from unfog.train.batches import Told
from unfog.train.captions import Captions
from unfog.train.seen import Beside, Seen

FEWEST_TOKENS, MOST_TOKENS = 512, 4096  # of a vocabulary of its own
PIECE = re.compile(r"[^\W_]+?(?=[^\x00-\u2e7f]|\W|$)|[^\x00-\u2e7f]")  # a word, or a Chinese character
DEPTHS = {"tiny": 1, "small": 2, "base": 4}  # of an encoder that learns to read
NEAR = 5  # neighbours that a token hears before it looks at all
GUIDANCE = 3.0
LIKENESS = 1.5  # guidance of visual words, which say far more than words do
AT_ENDS = 0.1  # share of values at black or white: photographs have 3 %, emoji on white 51 %


class TextConfig(Config):
    """How prompts are read.

    Attributes:
        language: "own" learns to read with the network; or a frozen language model: "minilm" (English),
            "use" (16 languages, one vector for a whole prompt), a folder, or "hub:OWNER/NAME".
        longest: tokens that are read of a prompt; chosen from the captions when left out.
        vocabulary: tokens of "own"; chosen from the captions when left out.
        encoder: options of the learned text encoder: depth, head, dropout; near, if it is "own".
    """

    language: str = OWN
    longest: int | None = Field(default=None, ge=2, le=512)
    vocabulary: int | None = Field(default=None, ge=16)
    encoder: dict[str, Any] = Field(default_factory=dict)


class VisualConfig(Config):
    """Whether it draws from visual words instead, DALL-E 2's way.

    Attributes:
        model: folder of a pair model (``unfog train pairs``); words are read by its prior.
        blur: how much its embeddings are blurred in training, at most; see ``condition.image.blurred``.
        onto: a model that draws from words, which shall learn to take pictures as prompts beside them;
            nothing of it changes, and ``text`` and ``network`` are its own.
        alone: share of pictures whose words are hidden while it learns that.
    """

    model: str | None = None
    blur: float = Field(default=0.5, ge=0)
    onto: str | None = None
    alone: float = Field(default=0.3, ge=0, le=1)

    @field_validator("onto")
    @classmethod
    def _found_from_anywhere(cls, path: str | None) -> str | None:
        return None if path is None else str(Path(path).absolute())


class Text2ImageConfig(Config):
    """Everything that a run of the text-to-image recipe depends on.

    Attributes:
        recipe: always "text2image".
        preset: "tiny", "small" or "base": the size of the network.
        data: which pictures; they need captions, unless ``pairs`` is given.
        text: how prompts are read.
        pairs: what visual words it draws from.
        network: options of the network that differ from the preset; ``kind`` is a name of ``NETWORKS`` that
            takes words, ``context`` the width of a word.
        schedule: ``kind`` is a name of ``SCHEDULES``, the rest its options.
        target: what the network predicts, a name of ``TARGETS``.
        train: how to train.
        sampling: fields of ``Sampling`` that the model shall carry as its defaults.
    """

    recipe: str = "text2image"
    preset: str = "small"
    data: DataConfig
    text: TextConfig = Field(default_factory=TextConfig)
    pairs: VisualConfig = Field(default_factory=VisualConfig)
    network: dict[str, Any] = Field(default_factory=dict)
    schedule: dict[str, Any] = Field(default_factory=lambda: {"kind": "cosine"})
    target: str = "v"
    train: TrainConfig = Field(default_factory=TrainConfig)
    sampling: dict[str, Any] = Field(default_factory=dict)


def captions_of(store: PictureStore) -> list[tuple[str, ...]]:
    """The captions of each picture; an empty one where it has none.

    Raises:
        TrainError: if no picture has any.
    """
    if store.captions is None or not any(store.captions):
        raise TrainError(
            f"{store.source} holds no captions. Put a .txt with the same name beside each picture, or a "
            "metadata.csv or .jsonl with the columns file_name and text into the folder."
        )
    return [captions or ("",) for captions in store.captions]


def language_for(
    config: TextConfig, texts: list[str], train: list[str]
) -> tuple[LanguageModel, TokenCodec | None]:
    """What reads the prompts, and the tokens of an encoder that learns to.

    Args:
        config: which.
        texts: all captions, from which follows how many tokens are read.
        train: those that may shape the tokens.
    """
    if config.language != OWN:
        language = open_language(config.language, longest=config.longest)
        return language, None
    # a token for each word, roughly: many captions of few words need few
    pieces = len({piece for text in train for piece in PIECE.findall(text.lower())})
    size = config.vocabulary or min(MOST_TOKENS, max(FEWEST_TOKENS, 256 + pieces))
    codec = TokenCodec.learn(train, "bpe", size)
    longest = config.longest or max(8, max(len(row) for row in codec.encode_many(texts)))
    return Spelling(codec.encode_many, codec.to_json(), min(longest, 512)), codec


def threshold_for(statistics: PixelStatistics | None) -> str:
    """How strong guidance is kept within black and white; no statistics for latents, which know neither.

    Dynamic thresholding takes whatever reaches beyond them for saturation, and greys the picture. Where much
    of the data lies just there, as a white ground does, the usual small errors reach beyond as well.
    """
    if statistics is None or statistics.at_black + statistics.at_white > AT_ENDS:
        return "static"
    return "dynamic"


def prepare(config: Text2ImageConfig, listener: Listener) -> Pictures:
    """Open, read the captions or look at the pictures, measure, and build a fresh model; the same for the
    same seed.
    """
    if config.pairs.onto is not None:
        return prepare_onto(config, config.pairs.onto, listener)
    pairs = None if config.pairs.model is None else open_pairs(config.pairs.model, config.data)
    store, codec = opened(config.data, listener)
    steering = (
        read_all(config, store, listener) if pairs is None else look_all(config, store, pairs, listener)
    )
    statistics = measure_pixels(store.images, store.train)
    latents = None if codec is None else encode_store(store, codec, statistics, listener)
    spread, diameter = (statistics if latents is None else latents.codec.latents).extent
    for warning in saturation_warnings(statistics):
        listener.say(f"Warning: {warning}")
    network = {"kind": "unet", "context": 192, **config.network}
    schedule = schedule_for(config.schedule, diameter)
    ours = sampling_for(spread, steered=True, most=most_noise(schedule, config.train, spread))
    threshold = threshold_for(None if latents is not None else statistics)
    guidance = GUIDANCE if pairs is None else LIKENESS
    ours |= {"guidance": guidance, "guidance_low": 0.0, "guidance_high": 1e9, "threshold": threshold}
    spec = Spec(
        recipe="text2image",
        network=network_of(config.preset, store, network, latents),
        schedule=schedule,
        target=config.target,
        statistics=statistics.to_dict(),
        sampling=build_part(Sampling, {**ours, **config.sampling}, "sampling"),
        latent=latents.part if latents else {},
        shapes=shapes_of(store),
        **steering.part,
    )
    torch.manual_seed(derive_seed(config.train.seed, "weights"))
    theirs = None if pairs is None else pairs.tokens
    model = PictureModel(spec, tokens=steering.tokens, pair_tokens=theirs)
    if pairs is not None and model.pairs is not None:
        model.pairs.load_state_dict(pairs.state_dict())
    return Pictures(store, model, steering.told, latents)


@dataclass(frozen=True, eq=False)
class Steering:
    """What steers a model, and what it is told of each picture.

    Attributes:
        part: fields of ``Spec``: "text" or "pairs", and "examples".
        tokens: of an encoder that learns to read by itself.
        told: of each picture.
    """

    part: dict[str, Any]
    tokens: TokenCodec | None
    told: Told


def read_all(config: Text2ImageConfig, store: PictureStore, listener: Listener) -> Steering:
    """Words: the captions are read."""
    captions = captions_of(store)
    flat = [text for each in captions for text in each]
    language, tokens = language_for(config.text, flat, [text for i in store.train for text in captions[i]])
    words = read(language, flat, listener)
    text = reading(config.text, config.preset, language, tokens)
    told = Captions(words, [len(each) for each in captions], config.train.seed)
    return Steering({"text": text, "examples": examples_of(captions, store.held_out)}, tokens, told)


def look_all(config: Text2ImageConfig, store: PictureStore, pairs: PairModel, listener: Listener) -> Steering:
    """Visual words: the pictures are looked at; captions are not needed."""
    captions = [each or ("",) for each in store.captions or ((),) * len(store)]
    told = Seen(look_at(store, pairs, listener), config.pairs.blur, config.train.seed)
    part = {"pairs": pairs_part(pairs), "examples": examples_of(captions, store.held_out)}
    return Steering(part, None, told)


def prepare_onto(config: Text2ImageConfig, onto: str, listener: Listener) -> Pictures:
    """Open a model that draws from words, and add what listens to pictures.

    Args:
        config: what and how to learn.
        onto: the model.
        listener: is told about progress.

    Raises:
        TrainError: there is no pair model, or settings are given that the model has already.
        ModelError: the model reads no words.
    """
    given = [name for name in ("network", "schedule", "target", "text") if name in config.model_fields_set]
    if config.pairs.model is None or given or config.data.codec is not None:
        wrong = (
            f"leave {', '.join(given or ['--codec'])} out" if given or config.data.codec else "add --pairs"
        )
        raise TrainError(
            f"pairs.onto = {onto}: it needs a pair model, and all else is as that model has it; {wrong}."
        )
    if config.data.buckets:
        raise TrainError("pairs.onto learns from squares: leave data.buckets out.")
    pairs, base = open_pairs(config.pairs.model, config.data), load_pictures(onto)
    model = with_picture_prompts(base, pairs)
    channels, size, _ = model.shape
    if config.data.size not in (None, size):
        raise TrainError(
            f"{onto} draws {size} x {size} pixels, {config.data.size} were asked for: leave it out."
        )
    store = open_store(config.data.model_copy(update={"size": size, "channels": channels}), listener)
    captions = captions_of(store)
    assert isinstance(model.asker, PromptsAndLooks)
    words = read(model.asker.prompts.language(), [text for each in captions for text in each], listener)
    latents = latents_again(store, model, listener) if model.spec.latent else None
    told = Beside(
        Captions(words, [len(each) for each in captions], config.train.seed),
        Seen(look_at(store, pairs, listener), config.pairs.blur, config.train.seed),
        config.pairs.alone,
        config.train.seed,
    )
    torch.manual_seed(derive_seed(config.train.seed, "weights"))
    return Pictures(store, model, told, latents)


def read(language: LanguageModel, texts: list[str], listener: Listener) -> WordStore:
    """The words of captions; what is not read of them is told."""
    faults = {"are longer than what is read of them": language.cut(texts)}
    faults |= {"are mostly of words that this language model never learned": language.unknown(texts)}
    for what, count in faults.items():
        if count:
            listener.say(f"Warning: {count:,} of {len(texts):,} captions {what}.")
    words = open_words(
        language, texts, progress=lambda done, total: listener.phase("Reading captions", done, total)
    )
    for note in words.notes:
        listener.say(note)
    return words


def reading(
    config: TextConfig, preset: str, language: LanguageModel, tokens: TokenCodec | None
) -> dict[str, Any]:
    """How a model of a preset reads, for its description; see ``Spec.text``."""
    found: dict[str, Any] = {"language": config.language, "longest": language.longest}
    if tokens is None:
        found |= {"fingerprint": language.fingerprint, "states": language.width}
        return {**found, "encoder": config.encoder}
    encoder = {"depth": DEPTHS[preset], "near": NEAR, **config.encoder}
    return {**found, "tokens": tokens_hash(tokens.to_json()), "encoder": encoder}


def examples_of(captions: list[tuple[str, ...]], held_out: np.ndarray) -> tuple[str, ...]:
    """Captions of held-out pictures, languages in turn, that the model shows itself with."""
    told = [captions[i] for i in held_out if any(captions[i])]
    places = np.linspace(0, len(told) - 1, min(SHOWN, len(told))).round().astype(int)
    return tuple(told[place][turn % len(told[place])] for turn, place in enumerate(places))


TEXT2IMAGE = Recipe(Text2ImageConfig, PRESETS, "pictures with captions", prepare, settled)
