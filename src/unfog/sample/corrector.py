"""Predictor-corrector: a step of the reverse process, then a Langevin step that repairs its law.

Song et al. 2021 (arXiv 2011.13456), algorithm 1, with ancestral sampling as the predictor.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler, last_step
from unfog.sample.ddpm import DDPM
from unfog.sample.langevin import langevin_step


@dataclass(frozen=True)
class PredictorCorrector(Sampler[None]):
    """First order for two calls a step, and stochastic.

    The paper measures norms over the batch to find the step size 2 (snr |e| / |score|)^2. On average these
    norms stand to each other as 1 to 1 / sigma, so the size is 2 snr^2 sigma^2, and no example depends on its
    neighbours.

    Attributes:
        snr: of the corrector; the paper's is 0.16.
    """

    snr: float = 0.16

    order = 1
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
        x_s, _ = DDPM().step(denoiser, x_t, t, s, cond, rng, None)
        if last_step(s):
            return x_s, None
        return langevin_step(denoiser, x_s, s, 2 * self.snr**2, cond, rng), None
