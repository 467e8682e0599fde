"""Euler-Maruyama: the reverse SDE by its simplest solver (Song et al. 2021, arXiv 2011.13456, section 4.1).

For y = x_t / alpha the forward SDE is dy = dw in the clock q = (sigma / alpha)^2, and the reverse one
dy = score dq + dw, on every schedule. One step of it is their reverse diffusion sampler for VE.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler, last_step


@dataclass(frozen=True)
class EulerMaruyama(Sampler[None]):
    """First order and stochastic. A step to t = 0 takes the clean estimate and adds nothing.

    DDPM is the same with the noise that a step of this length really has, and better with few steps.
    """

    order = 1
    stochastic = True

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
        (alpha_t, sigma_t), (alpha_s, sigma_s) = process.numbers(t), process.numbers(s)
        mean, noise = denoiser(x_t, t, cond).mean, rng.normal(x_t.shape, like=x_t)
        if last_step(s):
            return alpha_s * mean, None
        if alpha_t == 0.0:  # no clock q: whatever comes after pure noise is the estimate, noised
            return alpha_s * mean + sigma_s * noise, None
        before, after = (sigma_t / alpha_t) ** 2, (sigma_s / alpha_s) ** 2
        y = x_t / alpha_t
        y = y + (before - after) / before * (mean - y) + math.sqrt(before - after) * noise
        return alpha_s * y, None
