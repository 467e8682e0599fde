"""DDPM ancestral sampling, for any schedule and any strides (Ho et al. 2020, arXiv 2006.11239)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler


@dataclass(frozen=True)
class DDPM(Sampler[None]):
    """Draws x_s from q(x_s | x_t, x) at the estimated x.

    The posterior's variance is tau^2 = sigma_s^2 (1 - exp(2 (l_t - l_s))); what is left of the noise's
    variance, sigma_s^2 - tau^2, is filled with the estimated noise.

    Attributes:
        eta: 1 is the published chain, 0 is DDIM, in between is in between.
    """

    eta: float = 1.0

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
        (alpha_t, sigma_t), (alpha_s, sigma_s) = denoiser.process.scales(t), denoiser.process.scales(s)
        mean = denoiser(x_t, t, cond).mean
        # exp(l_t - l_s), written so that it is 0 and not NaN where sigma_s or alpha_t is 0
        shrink = (alpha_t * sigma_s) / (sigma_t * alpha_s)
        fresh = self.eta * sigma_s * (1 - shrink**2).clamp_min(0).sqrt()
        keep = (sigma_s**2 - fresh**2).clamp_min(0).sqrt() / sigma_t
        noise = rng.normal(x_t.shape, like=x_t)
        return keep * x_t + (alpha_s - keep * alpha_t) * mean + fresh * noise, None
