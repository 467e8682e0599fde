"""How long and how fast to learn; what to learn is in the recipe."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from unfog.config import Config
from unfog.errors import ConfigError

WITH_GAMMA = ("min-snr", "p2")  # the weights that have one


class CommonTrainConfig(Config):
    """Settings that every training run has.

    Attributes:
        steps: optimiser steps; leave out to plan by ``minutes``.
        minutes: training time; the number of steps follows from the measured speed.
        batch: examples per step, over all devices.
        optimiser: "muon" (with AdamW for the outer layers) or "adamw".
        learning_rate: at its height.
        warmup: steps over which the learning rate rises.
        decay: last share of training over which it falls to 0.
        momentum, second_momentum: the betas of AdamW.
        weight_decay: of AdamW.
        clip: largest norm of the gradient.
        label_dropout: share of examples whose label is hidden, so that guidance is possible.
        precision: "no" is float32; "auto" takes bfloat16 where the accelerator has it.
        seed: of weights, order, noise.
        validate_every: steps between validation losses; 0 for twenty in a run.
        preview_minutes: minutes between previews.
        checkpoint_minutes: minutes between checkpoints.
        trackers: names that accelerate knows: "tensorboard", "wandb", ...
    """

    steps: int | None = Field(default=None, ge=1)
    minutes: float | None = Field(default=None, gt=0)
    batch: int = Field(default=64, ge=1)
    optimiser: Literal["muon", "adamw"] = "muon"
    learning_rate: float = Field(default=2e-3, gt=0)
    warmup: int = Field(default=100, ge=0)
    decay: float = Field(default=0.5, gt=0, le=1)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    second_momentum: float = Field(default=0.95, ge=0, lt=1)
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=1.0, gt=0)
    label_dropout: float = Field(default=0.1, ge=0, lt=1)
    precision: Literal["no", "auto", "bf16", "fp16"] = "auto"
    seed: int = 0
    validate_every: int = Field(default=0, ge=0)
    preview_minutes: float = Field(default=1.0, gt=0)
    checkpoint_minutes: float = Field(default=1.0, gt=0)
    trackers: tuple[str, ...] = ()


class TrainConfig(CommonTrainConfig):
    """Settings of a run on pictures; the defaults were measured on two processor cores and the digits.

    Attributes:
        weight: a name of ``WEIGHTS``, how much an error counts at each noise level.
        gamma: of the weights "min-snr" (5 when left out) and "p2" (1 when left out); the others have none.
        noise_mean, noise_std: of log(sigma / alpha), how often each noise level is visited; they follow from
            the data's spread when left out.
    """

    weight: Literal["data", "noise", "v", "flow", "min-snr", "p2"] = "v"
    gamma: float | None = Field(default=None, ge=0)
    noise_mean: float | None = None
    noise_std: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _gamma_belongs_to_the_weight(self) -> Self:
        if self.gamma is not None and self.weight not in WITH_GAMMA:
            raise ConfigError(
                f"train.gamma = {self.gamma:g}: the weight {self.weight!r} has none. Leave it out, or choose "
                f"train.weight from {', '.join(WITH_GAMMA)}."
            )
        return self


class CodecTrainConfig(CommonTrainConfig):
    """Settings of a run of the codec recipe; the defaults were measured on one processor core and the emoji.

    Attributes:
        perceptual: weight of the error in features.
        kl: weight of the nats of each number of the latents, of the kind "kl".
        commitment: weight by which latents are drawn to their codes, of the kind "vq".
        adversarial: weight of the judge of patches; 0 for none, 0.05 to 0.2 where sharpness is missing.
    """

    batch: int = Field(default=32, ge=1)
    learning_rate: float = Field(default=3e-3, gt=0)
    perceptual: float = Field(default=0.5, ge=0)
    kl: float = Field(default=3e-3, ge=0)
    commitment: float = Field(default=0.25, ge=0)
    adversarial: float = Field(default=0.0, ge=0)


class PairTrainConfig(CommonTrainConfig):
    """Settings of a run of the pairs recipe.

    Attributes:
        views: weight of two views of a picture finding each other.
        crop: share of a picture's area that is kept at least when it is cut.
        shade: how far brightness, contrast and colour are changed at most; 1 is from grey to twice as much.
    """

    batch: int = Field(default=128, ge=2)
    learning_rate: float = Field(default=2e-3, gt=0)
    weight_decay: float = Field(default=0.3, ge=0)
    views: float = Field(default=0.25, ge=0)
    crop: float = Field(default=0.6, gt=0, le=1)
    shade: float = Field(default=0.2, ge=0, le=1)


class TextTrainConfig(CommonTrainConfig):
    """Settings of a run on text; the defaults were measured on two processor cores and the quatrains.

    Attributes:
        batch: rows per step; 0 takes as many as have about 4,096 tokens, at least 16.
        weight: "plain" or "bound", how much a lost token counts at each time.
        joint: share of pairs of which the text is learned instead of its summary, so that the model can also
            write.
        beside: share of the tokens of the sources that are hidden and learned beside the summaries; those are
            in half of the pairs, and the others are shown whole, as they are when it summarises. A network
            that reads by blocks learns all of the sources, unless this is 0.
        copies: noisy versions of a summary that are learned from each reading of its source.
        whole: share of rows that a network with blocks reads whole while the learning rate falls, and before
            all; with none it never sees what follows.
    """

    batch: int = Field(default=0, ge=0)
    weight: Literal["plain", "bound"] = "plain"
    joint: float = Field(default=0.2, ge=0, le=1)
    beside: float = Field(default=0.15, ge=0, le=0.5)
    copies: int = Field(default=4, ge=1, le=64)
    whole: float = Field(default=0.5, ge=0, lt=1)
