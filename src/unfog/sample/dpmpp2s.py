"""DPM-Solver++(2S): second order without a memory, by a look at the middle of the step (Lu et al. 2022)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler
from unfog.sample.exponential import Estimate, flow


@dataclass(frozen=True)
class DPMSolver2S(Sampler[None]):
    """The midpoint rule in l (arXiv 2211.01095, algorithm 1 with r = 1/2)."""

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
        l_t, l_s = process.log_ratio(t), process.log_ratio(s)
        here = Estimate(denoiser(x_t, t, cond).mean, float(l_t))
        if not (math.isfinite(l_t) and math.isfinite(l_s)):  # no middle exists
            return flow(process, x_t, t, s, (here,)), None
        middle = process.schedule.time((l_t + l_s) / 2)
        x_m = flow(process, x_t, t, middle, (here,))
        there = Estimate(denoiser(x_m, middle, cond).mean, float(process.log_ratio(middle)))
        return flow(process, x_t, t, s, (there,)), None
