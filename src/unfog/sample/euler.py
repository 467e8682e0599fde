"""Euler: one step along the slope of the probability flow, after a little churn if asked for.

Karras et al. 2022 (arXiv 2206.00364), algorithm 2 without its correction. Without churn it is DDIM.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler, straight
from unfog.sample.churn import churned


@dataclass(frozen=True)
class Euler(Sampler[None]):
    """First order for one call; the slope is the noise, the clock sigma / alpha.

    Attributes:
        churn: share by which the noise is raised before each step; 0 is off.
    """

    churn: float = 0.0

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
        process = denoiser.process
        x_t, t = churned(process, x_t, t, self.churn, rng)
        (alpha_t, sigma_t), (alpha_s, sigma_s) = process.numbers(t), process.numbers(s)
        here = denoiser(x_t, t, cond)
        if alpha_t == 0.0:  # sigma / alpha is infinite: all that is known is the noise itself
            return straight(process, x_t, t, s, here.mean), None
        return alpha_s / alpha_t * x_t + (sigma_s - alpha_s * sigma_t / alpha_t) * here.noise, None
