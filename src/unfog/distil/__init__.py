"""Fewer steps: learning to say with six calls of a network what it would say with sixty."""

from unfog.distil.learn_sampler import Fitted, fit_sampler

__all__ = ["Fitted", "fit_sampler"]
