"""Steering, without touching network or sampler: every guide wraps a denoiser and is one."""

from unfog.denoise.base import Denoiser
from unfog.guide.autoguidance import Autoguidance
from unfog.guide.barred import Barred
from unfog.guide.classifier_free import ClassifierFree, Rule, plain
from unfog.guide.given import Given
from unfog.guide.loss import Loss, LossGuided
from unfog.guide.projection import Projected
from unfog.guide.rescale import rescaled
from unfog.guide.threshold import DynamicThreshold, StaticThreshold

THRESHOLDS: dict[str, type[Denoiser]] = {"static": StaticThreshold, "dynamic": DynamicThreshold}

__all__ = [
    "THRESHOLDS",
    "Autoguidance",
    "Barred",
    "ClassifierFree",
    "DynamicThreshold",
    "Given",
    "Loss",
    "LossGuided",
    "Projected",
    "Rule",
    "StaticThreshold",
    "plain",
    "rescaled",
]
