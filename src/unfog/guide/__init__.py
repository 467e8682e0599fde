"""Steering, without touching network or sampler: every guide wraps a denoiser and is one."""

from unfog.denoise.base import Denoiser
from unfog.guide.classifier_free import ClassifierFree
from unfog.guide.threshold import DynamicThreshold, StaticThreshold

THRESHOLDS: dict[str, type[Denoiser]] = {"static": StaticThreshold, "dynamic": DynamicThreshold}

__all__ = ["THRESHOLDS", "ClassifierFree", "DynamicThreshold", "StaticThreshold"]
