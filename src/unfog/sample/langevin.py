"""Langevin dynamics: walking at random, but rather uphill, until the noise level's own law is reached.

One step at a fixed noise level follows the score and adds noise. Score-based models sampled in this way
before anybody solved a reverse equation (Song & Ermon 2019, arXiv 1907.05600, algorithm 1; 2020, arXiv
2006.09011).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler, last_step


def langevin_step(
    denoiser: Denoiser, x_t: Tensor, t: Tensor, size: float, cond: Condition, rng: Noise
) -> Tensor:
    """One step of Langevin dynamics at time t, which leaves the law of x_t as it is.

    Published as x + h score + sqrt(2 h) e with h = ``size`` sigma^2. Here the clean estimate is held for the
    length of the step, which is then solved exactly: the noise around the estimate shrinks to exp(-size) of
    itself and is refilled. It costs the same and has a bias of second order only.

    Args:
        denoiser: gives the score.
        x_t: (B, *S), at time t, ().
        size: step length in units of sigma^2; 0.06 to 0.2 as published.
        cond: what steers the denoiser.
        rng: one draw.
    """
    alpha, sigma = denoiser.process.numbers(t)
    centre: Tensor = alpha * denoiser(x_t, t, cond).mean
    keep = math.exp(-size)
    fresh = sigma * math.sqrt(-math.expm1(-2 * size))
    return centre + keep * (x_t - centre) + fresh * rng.normal(x_t.shape, like=x_t)


@dataclass(frozen=True)
class Langevin(Sampler[None]):
    """Annealed: some Langevin steps at each noise level, starting where the level above ended.

    The ladder of levels is the time grid, best ``log-snr``, which is geometric. The step to t = 0 is the
    clean estimate, without which faint noise remains (arXiv 2009.05475). It takes a hundred levels and more.

    Attributes:
        corrections: Langevin steps at each level.
        size: length of each in units of sigma^2.
    """

    corrections: int = 5
    size: float = 0.1

    order = 1
    stochastic = True
    calls = 5

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
        alpha_t, alpha_s = process.numbers(t)[0], process.numbers(s)[0]
        if last_step(s):
            return alpha_s * denoiser(x_t, t, cond).mean, None
        # where x_t is nothing but noise, go on with noise
        x_s = x_t if alpha_t == 0.0 else alpha_s / alpha_t * x_t
        for _ in range(self.corrections):
            x_s = langevin_step(denoiser, x_s, s, self.size, cond, rng)
        return x_s, None
