"""The language recipe: learn from texts, and write, complete, infill and, from pairs, summarise."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from unfog.codec.tokens import TokenCodec
from unfog.config import Config
from unfog.data import Corpus, TextOptions, open_corpus
from unfog.errors import TrainError
from unfog.model.text import TextModel
from unfog.model.vocabulary import tokens_hash
from unfog.recipes.language_rows import Tokenised
from unfog.recipes.language_run import Texts
from unfog.recipes.listen import Listener
from unfog.recipes.recipe import Recipe
from unfog.rng import derive_seed
from unfog.spec import TextSpec, Writing, build_part
from unfog.train import TextTrainConfig

PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 128, "depth": 3},
    "small": {"width": 256, "depth": 6},
    "base": {"width": 512, "depth": 8},
}
WIDEST = 256  # tokens at once, unless more are asked for: attention and memory grow with it
STEP_TOKENS, FEWEST_ROWS = 4096, 16  # of a training step, unless a batch is asked for
SPACELESS = 0.2  # share of Chinese, Japanese or Korean characters from which a character is a token


class CorpusConfig(Config):
    """Which texts, and how they become tokens.

    Attributes:
        source: text file, folder of them, table, name of a set, or "hub:OWNER/NAME".
        size: tokens that the model sees at once; chosen from the lengths of the texts when left out.
        held_out: share kept apart, by document or group, to validate and to compare with.
        tokens: "byte", "character" or "bpe"; "auto" is characters for Chinese and the like, else bpe.
        vocabulary: how many tokens; all characters, or up to 4,096 pairs of bytes, when left out.
        rows: "whole" documents, or "packed" end to end; "auto" packs where many are longer than a row.
        classes: learn the classes where the data has them.
        text, target, label, group: columns of a table, where the guess by their names is not what you want.
        cut: what is a document in plain text: "file", "blank" (lines), "line" or "auto".
        encoding: of plain text; "auto" is UTF-8.
    """

    source: str
    size: int | None = Field(default=None, ge=8, le=4096)
    held_out: float = Field(default=0.1, gt=0, lt=1)
    tokens: Literal["auto", "byte", "character", "bpe"] = "auto"
    vocabulary: int | None = Field(default=None, ge=1)
    rows: Literal["auto", "whole", "packed"] = "auto"
    classes: bool = True
    text: str | None = None
    target: str | None = None
    label: str | None = None
    group: str | None = None
    cut: Literal["auto", "file", "blank", "line"] = "auto"
    encoding: str = "auto"

    def columns(self) -> dict[str, str]:
        """The columns that were named, by what they hold, and how plain text is read: ``TextOptions``."""
        named = {"text": self.text, "target": self.target, "label": self.label, "group": self.group}
        how = {"cut": self.cut, "encoding": self.encoding}
        return {what: name for what, name in named.items() if name is not None} | how


class LanguageConfig(Config):
    """Everything that a run of the language recipe depends on.

    Attributes:
        recipe: always "language".
        preset: "tiny", "small" or "base": the size of the network.
        data: which texts.
        network: options of the network that differ from the preset; ``block`` = 16 writes block by block.
        process: ``kind`` is "masked" or "uniform", ``keep`` a name of ``KEEPS``, the rest its options.
        train: how to train.
        sampling: fields of ``Writing`` that the model shall carry as its defaults.
    """

    recipe: str = "language"
    preset: str = "small"
    data: CorpusConfig
    network: dict[str, Any] = Field(default_factory=dict)
    process: dict[str, Any] = Field(default_factory=lambda: {"kind": "masked", "keep": "linear"})
    train: TextTrainConfig = Field(default_factory=TextTrainConfig)
    sampling: dict[str, Any] = Field(default_factory=dict)


def open_texts(config: CorpusConfig, listener: Listener) -> Corpus:
    """The texts that the settings name.

    Raises:
        TrainError: if there are fewer than two documents.
    """
    options = TextOptions(config.text, config.target, config.label, config.group, config.cut, config.encoding)
    corpus = open_corpus(
        config.source,
        held_out=config.held_out,
        options=options,
        progress=lambda done, total: listener.phase("Reading texts", done, total),
    )
    for line in corpus.summary().splitlines():
        listener.say(line)
    if len(corpus.train) == 0 or len(corpus.held_out) == 0:
        raise TrainError(
            f"{config.source} holds {len(corpus)} document(s), none of which could be held out: training "
            "needs at least two. One file can be cut into more: --set data.cut=line"
        )
    return corpus


def kind_of_tokens(texts: list[str]) -> str:
    """The kind that suits a language: characters where words have no spaces between them."""
    sample = "".join(text[:200] for text in texts[:1000])
    spaceless = sum("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af" for c in sample)
    return "character" if spaceless > SPACELESS * max(1, len(sample)) else "bpe"


def learn_tokens(config: CorpusConfig, corpus: Corpus) -> TokenCodec:
    """The tokens of the training texts; what is held out does not shape them."""
    texts = [corpus.texts[i] for i in corpus.train]
    if corpus.targets is not None:
        texts += [corpus.targets[i] for i in corpus.train]
    kind = kind_of_tokens(texts) if config.tokens == "auto" else config.tokens
    size = config.vocabulary
    if kind == "bpe" and size is None:  # each should occur often enough to be learned
        size = int(min(4096, max(512, sum(map(len, texts)) / 200)))
    return TokenCodec.learn(texts, kind, size)


def context_for(lengths: NDArray[np.int64]) -> int:
    """Tokens to see at once: nearly all documents and their END, but no more than 256."""
    return int(min(WIDEST, max(8, np.ceil(np.quantile(lengths, 0.99)))))


def prepare(config: LanguageConfig, listener: Listener) -> Texts:
    """Open, learn the tokens, lay out rows, and build a fresh model; the same for the same seed."""
    corpus = open_texts(config.data, listener)
    listener.phase("Learning tokens", 0, 1)
    codec = learn_tokens(config.data, corpus)
    tokenised = Tokenised.of(corpus, codec)
    context = config.data.size or context_for(tokenised.lengths())
    room = min(tokenised.room(), context // 2)
    train = tokenised.rows(corpus.train, context, config.data.rows, room)
    held_out = tokenised.rows(corpus.held_out, context, "packed" if train.packed else "whole", room)
    listener.say(
        f"tokens: {codec.vocabulary:,} ({codec.kind}); rows of {context} "
        f"({'texts end to end' if train.packed else 'one text each'}): {len(train):,}"
    )
    if cut := train.cut + held_out.cut:
        listener.say(f"Warning: {cut:,} texts are longer than a row, and only their first part is learned.")
    labelled = config.data.classes and len(corpus.classes) > 1
    network = {"kind": "text", **PRESETS[config.preset], **config.network}
    if network.get("block"):
        network.setdefault("whole", config.train.whole > 0)
        if room:
            listener.say(
                "Warning: summaries that are learned by blocks follow their source poorly (ROUGE-L 0.08 "
                "instead of 0.26 on descriptions of software). Leave network.block out to summarise well."
            )
    elif room:  # the source of a pair is read once
        network["gap"] = codec.gap
    ours = sampling_for(config, context, packed=train.packed)
    spec = TextSpec(
        recipe="language",
        network=network,
        process=dict(config.process),
        context=context,
        tokens=tokens_hash(codec.to_json()),
        tasks=("write",) if corpus.targets is None else ("write", "summarize"),
        packed=train.packed,
        room=room,
        once=tokenised.once(),
        classes=tuple(corpus.classes) if labelled else (),
        sampling=build_part(Writing, {**ours, **config.sampling}, "sampling"),
    )
    torch.manual_seed(derive_seed(config.train.seed, "weights"))
    model = TextModel(spec, codec)
    model.settings(**asdict(spec.sampling))  # what cannot be written with is said before the training
    return Texts(corpus, model, train, held_out)


def sampling_for(config: LanguageConfig, context: int, *, packed: bool) -> dict[str, Any]:
    """Settings that suit a model that sees so many tokens: about one step for each of them.

    Texts that are longer than a row, or lie end to end in it, are written as we read them, and so are blocks:
    what is named by lot, far from all that is known, drifts. Steps are those of a block.
    """
    if config.process.get("kind") == "uniform":
        return {"sampler": "uniform", "steps": min(256, 2 * context)}
    if block := config.network.get("block"):
        return {"sampler": "reading", "steps": block}
    return {"sampler": "reading" if packed else "ancestral", "steps": min(256, context)}


def settled(config: LanguageConfig, prepared: Texts) -> LanguageConfig:
    """The configuration with what follows from the data filled in."""
    size = prepared.model.spec.context
    batch = config.train.batch or max(FEWEST_ROWS, round(STEP_TOKENS / size / 8) * 8)
    return config.model_copy(
        update={
            "data": config.data.model_copy(update={"size": size}),
            "train": config.train.model_copy(update={"batch": batch}),
        }
    )


LANGUAGE = Recipe(LanguageConfig, PRESETS, "texts", prepare, settled)
