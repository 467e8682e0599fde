"""iPNDM: Adams-Bashforth for the noise, with the weights of equal steps for all steps (Liu et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler, straight

WEIGHTS = ((1.0,), (3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))


@dataclass(frozen=True)
class IPNDM(Sampler[tuple[Tensor, ...]]):
    """Blends the last four noises; strong at three to seven calls (arXiv 2202.09778, 2204.13902).

    Because the weights ignore how long the steps are, the order is that of grids whose steps change slowly.
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
        state: tuple[Tensor, ...] | None,
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        """See ``Sampler.step``."""
        (alpha_t, sigma_t), (alpha_s, sigma_s) = denoiser.process.numbers(t), denoiser.process.numbers(s)
        posterior = denoiser(x_t, t, cond)
        if alpha_t == 0.0 or float(s) == 0.0:  # no slope without signal; the last step is DDIM's
            return straight(denoiser.process, x_t, t, s, posterior.mean), None
        known = (posterior.noise, *(state or ()))[: len(WEIGHTS)]
        weights = WEIGHTS[len(known) - 1]
        noise = sum((w * e for w, e in zip(weights[1:], known[1:], strict=True)), weights[0] * known[0])
        return alpha_s / alpha_t * x_t + alpha_s * (sigma_s / alpha_s - sigma_t / alpha_t) * noise, known
