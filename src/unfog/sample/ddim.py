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
from unfog.sample.base import Sampler, straight
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
        return straight(denoiser.process, x_t, t, s, denoiser(x_t, t, cond).mean), None
