"""Heun: look ahead, then step with the average slope (Karras et al. 2022, arXiv 2206.00364)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler, last_step, straight
from unfog.sample.churn import churned


@dataclass(frozen=True)
class Heun(Sampler[None]):
    """Second order for two calls a step; the slope is the noise, the clock sigma / alpha.

    Algorithm 1 of the paper, with churn its algorithm 2.

    Attributes:
        churn: share by which the noise is raised before each step; 0 is off.
    """

    churn: float = 0.0

    order = 2
    calls = 2

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
        euler = straight(process, x_t, t, s, here.mean)
        if last_step(s) or alpha_t == 0.0:  # no slope exists without noise, or without signal
            return euler, None
        slope = 0.5 * (here.noise + denoiser(euler, s, cond).noise)
        return alpha_s / alpha_t * x_t + alpha_s * (sigma_s / alpha_s - sigma_t / alpha_t) * slope, None
