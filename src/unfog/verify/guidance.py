"""Guides against closed forms."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from unfog.condition import NONE, Condition
from unfog.denoise import Denoiser, ExactGaussian, GaussianPosterior
from unfog.guide import THRESHOLDS, ClassifierFree
from unfog.process import SCHEDULES, GaussianProcess
from unfog.rng import Noise
from unfog.verify.check import Result, error, process_of


class _TwoMeans(Denoiser):
    """Gaussian data whose mean is the condition: the vector slot holds it, one number for each example."""

    def __init__(self, process: GaussianProcess, std: float) -> None:
        super().__init__()
        self.process, self.std = process, std

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        assert cond.vector is not None
        exact: GaussianPosterior = ExactGaussian(self.process, cond.vector, self.std)(x_t, t)
        return exact


def free_guidance_of_gaussians() -> Iterator[Result]:
    """Two Gaussians of one width, guided by w, are a Gaussian with its mean at m0 + w (m1 - m0)."""
    x, asked, nothing = Noise(1).normal((5, 2)).double(), 1.4, -0.3
    for schedule in SCHEDULES:
        process, t = process_of(schedule), torch.tensor(0.6, dtype=torch.float64)
        conditions = [Condition(vector=torch.full((5, 1), m, dtype=x.dtype)) for m in (asked, nothing)]
        for w in (0.0, 1.0, 1.7, 4.0):
            guided = ClassifierFree(_TwoMeans(process, 0.6), conditions[1], w)
            truth = ExactGaussian(process, nothing + w * (asked - nothing), 0.6)
            yield error(f"{schedule}, w = {w:g}", guided(x, t, conditions[0]).mean, truth(x, t).mean, 1e-9)
        guided = ClassifierFree(_TwoMeans(process, 0.6), conditions[1], 3.0, interval=(1e8, 1e9))
        plain, found = ExactGaussian(process, asked, 0.6)(x, t).mean, guided(x, t, conditions[0]).mean
        yield error(f"{schedule}, outside the interval", found, plain, 1e-9)


def thresholds_keep_their_range() -> Iterator[Result]:
    """Clean estimates beyond black and white come back within, and those within are left alone."""
    low, high = torch.tensor(-0.5), torch.tensor(1.5)
    for name, build in THRESHOLDS.items():
        process = process_of("cosine")
        for mean, inside in ((0.5, True), (9.0, False)):
            exact = ExactGaussian(process, mean, 1e-3)
            x, t = process.prior((4, 3), Noise(2)), torch.tensor(0.5, dtype=torch.float64)
            found = build(exact, low, high)(x, t).mean
            beyond = (low - found).clamp_min(0) + (found - high).clamp_min(0)
            yield error(f"{name}, range", beyond, torch.zeros_like(beyond), 1e-6)
            if inside:
                yield error(f"{name}, left alone", found, exact(x, t).mean, 1e-6)
