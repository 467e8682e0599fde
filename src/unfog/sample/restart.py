"""Restart: go back up into noise once arrived below, and come down again (Xu et al. 2023, arXiv 2306.14878).

A deterministic way down keeps the errors made high up. Noise washes them out, and adding much of it at once
costs less than adding some at every step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler, last_step
from unfog.sample.heun import Heun


@dataclass(frozen=True)
class Restart(Sampler[None]):
    """Heun's steps; the first that arrives below ``low`` is repeated from ``high`` with fresh noise.

    The repeated way down takes steps as long as the one just taken, in log sigma / alpha.

    Attributes:
        low, high: noise-to-signal ratios of the interval.
        repeats: how many times it goes back up.
    """

    low: float = 0.3
    high: float = 2.0
    repeats: int = 2

    order = 2
    stochastic = True
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
        process, solver = denoiser.process, Heun()
        x_s, _ = solver.step(denoiser, x_t, t, s, cond, rng, None)
        before, after = float(process.log_ratio(t)), float(process.log_ratio(s))
        if last_step(s) or not before < -math.log(self.low) <= after or math.isinf(before):
            return x_s, None
        top = -math.log(self.high)
        count = max(1, round((after - top) / (after - before)))
        times = process.schedule.time(torch.linspace(top, after, count + 1, dtype=torch.float64))
        for _ in range(self.repeats):
            x_s = process.diffuse(x_s, s, times[0], rng)
            for here, there in pairwise(times):
                x_s, _ = solver.step(denoiser, x_s, here, there, cond, rng, None)
        return x_s, None
