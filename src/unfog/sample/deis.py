"""DEIS: Adams-Bashforth of third order for the noise, over the noise-to-signal ratio (Zhang & Chen 2023)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler, last_step
from unfog.sample.exponential import Estimate, combine, plain_weights

History = tuple[Estimate, ...]


@dataclass(frozen=True)
class DEIS(Sampler[History]):
    """The flow is dy = e dr, with y = x / alpha and r = sigma / alpha: a parabola through the last three e.

    arXiv 2204.13902, the rho-AB form. Steps from or to no signal or no noise are DDIM's.
    """

    order = 3

    def step(
        self,
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: History | None,
    ) -> tuple[Tensor, History | None]:
        """See ``Sampler.step``."""
        (alpha_t, sigma_t), (alpha_s, sigma_s) = denoiser.process.numbers(t), denoiser.process.numbers(s)
        posterior = denoiser(x_t, t, cond)
        if last_step(s):
            return alpha_s * posterior.mean, None
        if alpha_t == 0.0:  # x_t is noise alone
            return alpha_s * posterior.mean + sigma_s * posterior.noise, None
        start, end = sigma_t / alpha_t, sigma_s / alpha_s
        known = (Estimate(posterior.noise, start), *(state or ()))[: self.order]
        slope = combine(known, plain_weights(tuple(estimate.at for estimate in known), start, end))
        return alpha_s / alpha_t * x_t + alpha_s * slope, known
