"""Thresholding: keep the clean estimate where pixels can be.

Guidance pushes the estimate beyond black and white; sampled on, it comes back as flat, glaring colours.
Static thresholding clips it. Dynamic thresholding (Imagen, arXiv 2205.11487, section 2.3) first shrinks the
whole example until all but a few of its values fit, which keeps the shading.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser, GaussianPosterior


class StaticThreshold(Denoiser):
    """Clips the clean estimate to [low, high].

    Args:
        denoiser: the denoiser to wrap.
        low, high: where black and white lie in x, broadcastable to one example.
    """

    def __init__(self, denoiser: Denoiser, low: Tensor, high: Tensor) -> None:
        super().__init__()
        self.inner, self.process, self.low, self.high = denoiser, denoiser.process, low, high

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        """See ``Denoiser.forward``."""
        posterior: GaussianPosterior = self.inner(x_t, t, cond)
        return posterior.with_mean(posterior.mean.clamp(self.low, self.high))


class DynamicThreshold(Denoiser):
    """Shrinks each example towards mid-grey until the given share of its values fits, then clips.

    Args:
        denoiser: the denoiser to wrap.
        low, high: where black and white lie in x, broadcastable to one example.
        share: of the values that must fit, 0 to 1; Imagen used 0.995.
    """

    def __init__(self, denoiser: Denoiser, low: Tensor, high: Tensor, share: float = 0.995) -> None:
        super().__init__()
        self.inner, self.process, self.share = denoiser, denoiser.process, share
        self.centre, self.extent = (low + high) / 2, (high - low) / 2

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        """See ``Denoiser.forward``."""
        posterior: GaussianPosterior = self.inner(x_t, t, cond)
        unit = (posterior.mean - self.centre) / self.extent
        reach = torch.quantile(unit.abs().flatten(1), self.share, dim=1).clamp_min(1.0)
        reach = reach.view(-1, *[1] * (unit.ndim - 1))
        return posterior.with_mean(unit.clamp(-reach, reach) / reach * self.extent + self.centre)
