"""DPM-Solver++(2M): second order for one call a step, leaning on the previous estimate (Lu et al. 2022)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler, straight


@dataclass(frozen=True)
class Previous:
    """What a multistep sampler remembers: the last clean estimate and the clock where it was made."""

    mean: Tensor
    clock: float


@dataclass(frozen=True)
class DPMSolver2M(Sampler[Previous]):
    """Extrapolates the clean estimate linearly in l over the coming step (arXiv 2211.01095, algorithm 2).

    The first step, and steps from or to an infinite l, where a slope in l has no meaning, are of first order.
    """

    order = 2

    def step(
        self,
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: Previous | None,
    ) -> tuple[Tensor, Previous]:
        """See ``Sampler.step``."""
        process = denoiser.process
        l_t, l_s = float(process.log_ratio(t)), float(process.log_ratio(s))
        mean = denoiser(x_t, t, cond).mean
        estimate = mean
        if state is not None and math.isfinite(l_s) and math.isfinite(state.clock):
            estimate = mean + (l_s - l_t) / (2 * (l_t - state.clock)) * (mean - state.mean)
        return straight(process, x_t, t, s, estimate), Previous(mean, l_t)
