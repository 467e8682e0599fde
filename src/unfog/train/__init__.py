"""Learning: objective, the one trainer, averages of weights, checkpoints, the watchdog."""

from collections.abc import Callable
from typing import Any

from unfog.train.batches import Batches, Bucketed
from unfog.train.config import CodecTrainConfig, PairTrainConfig, TextTrainConfig, TrainConfig
from unfog.train.contrast import ContrastObjective
from unfog.train.denoising import WEIGHTS, DenoisingObjective
from unfog.train.encoding import EncodingObjective
from unfog.train.fit import Training, TrainStep, fit
from unfog.train.objective import Objective
from unfog.train.unmasking import UnmaskingObjective
from unfog.train.watch import Watch

OBJECTIVES: dict[str, Callable[[Any, Any], Objective]] = {
    "image": DenoisingObjective,
    "text2image": DenoisingObjective,
    "language": UnmaskingObjective,
    "codec": EncodingObjective,
    "pairs": ContrastObjective,
}
"""The loss of each recipe, made from a model and its settings."""

__all__ = [
    "OBJECTIVES",
    "WEIGHTS",
    "Batches",
    "Bucketed",
    "CodecTrainConfig",
    "ContrastObjective",
    "DenoisingObjective",
    "EncodingObjective",
    "Objective",
    "PairTrainConfig",
    "TextTrainConfig",
    "TrainConfig",
    "TrainStep",
    "Training",
    "UnmaskingObjective",
    "Watch",
    "fit",
]
