"""DDIM: keep the noise that was estimated, change only its amount (Song et al. 2021, arXiv 2010.02502).

The same step goes by more names: it is Euler's for the probability flow in sigma / alpha, and DPM-Solver++ of
first order (Lu et al. 2022, arXiv 2211.01095, proposition 5.1).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler
from unfog.sample.ddpm import DDPM


@dataclass(frozen=True)
class DDIM(Sampler[None]):
    """First order, and deterministic unless asked otherwise.

    Attributes:
        eta: share of the noise that is drawn afresh, 0 to 1; 1 is DDPM.
    """

    eta: float = 0.0

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
        if self.eta:
            return DDPM(self.eta).step(denoiser, x_t, t, s, cond, rng, state)
        (alpha_t, sigma_t), (alpha_s, sigma_s) = denoiser.process.scales(t), denoiser.process.scales(s)
        keep = sigma_s / sigma_t
        mean = denoiser(x_t, t, cond).mean
        return keep * x_t + (alpha_s - keep * alpha_t) * mean, None
