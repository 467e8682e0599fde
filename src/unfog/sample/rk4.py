"""The classical Runge-Kutta method on the probability flow (Kutta 1901): fourth order, four calls a step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler, last_step, straight


@dataclass(frozen=True)
class RK4(Sampler[None]):
    """For y = x_t / alpha the slope in r = sigma / alpha is the noise; the middle of a step is that of r.

    For when a fine reference is wanted, not for few steps. Steps without noise at the end, or without signal
    at the start, are DDIM's.
    """

    order = 4
    calls = 4

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
        here = denoiser(x_t, t, cond)
        if last_step(s) or alpha_t == 0.0:
            return straight(process, x_t, t, s, here.mean), None
        start, end = sigma_t / alpha_t, sigma_s / alpha_s
        middle = process.schedule.time(torch.tensor(-math.log((start + end) / 2), dtype=torch.float64))
        alpha_m, y, h = process.numbers(middle)[0], x_t / alpha_t, end - start
        first = here.noise
        second = denoiser(alpha_m * (y + h / 2 * first), middle, cond).noise
        third = denoiser(alpha_m * (y + h / 2 * second), middle, cond).noise
        fourth = denoiser(alpha_s * (y + h * third), s, cond).noise
        return alpha_s * (y + h / 6 * (first + 2 * second + 2 * third + fourth)), None
