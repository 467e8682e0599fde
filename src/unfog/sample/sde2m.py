"""SDE-DPM-Solver++(2M): the reverse SDE of second order for one call a step (Lu et al. 2022)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler
from unfog.sample.exponential import Estimate


@dataclass(frozen=True)
class SDESolver2M(Sampler[Estimate]):
    """Extrapolates the clean estimate as 2M does, and draws the noise that the exact SDE would add.

    arXiv 2211.01095, appendix. Fresh noise washes out earlier errors, which pays with many steps.
    """

    order = 2
    stochastic = True

    def step(
        self,
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: Estimate | None,
    ) -> tuple[Tensor, Estimate]:
        """See ``Sampler.step``."""
        process = denoiser.process
        (alpha_t, sigma_t), (alpha_s, sigma_s) = process.numbers(t), process.numbers(s)
        l_t, l_s = float(process.log_ratio(t)), float(process.log_ratio(s))
        here = Estimate(denoiser(x_t, t, cond).mean, l_t)
        mean = here.value
        # the last step, to t = 0, can be many times longer than the others: too far to extrapolate
        if state is not None and float(s) > 0 and math.isfinite(l_s) and math.isfinite(state.at):
            mean = mean + (l_s - l_t) / (2 * (l_t - state.at)) * (mean - state.value)
        # exp(l_t - l_s), written so that it is 0 and not NaN where sigma_s or alpha_t is 0
        shrink = (alpha_t * sigma_s) / (sigma_t * alpha_s)
        keep = shrink * sigma_s / sigma_t
        fresh = sigma_s * math.sqrt(max(0.0, 1 - shrink**2))
        noise = rng.normal(x_t.shape, like=x_t)
        return keep * x_t + (alpha_s - keep * alpha_t) * mean + fresh * noise, here
