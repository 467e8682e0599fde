"""Autoguidance: away from a worse version of the same model (Karras et al. 2024, arXiv 2406.02507).

A model and its younger self make mistakes in the same places, the younger one larger ones. To go on from the
younger one's estimate through the model's own therefore leads away from the mistakes, and not, as with
classifier-free guidance, away from variety. It asks for no labels.
"""

from __future__ import annotations

from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser, GaussianPosterior


class Autoguidance(Denoiser):
    """The weak estimate, plus ``scale`` times what the better denoiser adds to it, at all noise levels.

    Wrapped around a guided denoiser it goes on from where that guide led.

    Args:
        denoiser: the better one.
        weak: the same kind of denoiser, trained less.
        cond: the same wish in the weak one's own words, as its encoder was trained less too; one row each.
        scale: 1 is off, above 1 exaggerates.
    """

    def __init__(self, denoiser: Denoiser, weak: Denoiser, cond: Condition, scale: float) -> None:
        super().__init__()
        self.inner, self.process = denoiser, denoiser.process
        self.weak, self.cond, self.scale = weak, cond, scale

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        """See ``Denoiser.forward``; one call of each denoiser, or of the better one alone when off."""
        posterior: GaussianPosterior = self.inner(x_t, t, cond)
        if self.scale == 1.0:
            return posterior
        weak: GaussianPosterior = self.weak(x_t, t, self.cond)
        return posterior.extrapolate(weak, self.scale)
