"""DDIM: keep the noise that was estimated, change only its amount (Song et al. 2021, arXiv 2010.02502)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler


@dataclass(frozen=True)
class DDIM(Sampler[None]):
    """First order and deterministic: the Euler step of the probability flow in sigma / alpha."""

    order = 1

    def step(
        self,
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: None,
    ) -> tuple[Tensor, None]:
        """See ``Sampler.step``."""
        (alpha_t, sigma_t), (alpha_s, sigma_s) = denoiser.process.scales(t), denoiser.process.scales(s)
        keep = sigma_s / sigma_t
        mean = denoiser(x_t, t, cond).mean
        return keep * x_t + (alpha_s - keep * alpha_t) * mean, None
