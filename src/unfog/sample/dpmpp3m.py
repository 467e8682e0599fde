"""DPM-Solver++(3M): third order for one call a step, leaning on two previous estimates (Lu et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler
from unfog.sample.exponential import Estimate, flow

History = tuple[Estimate, ...]


@dataclass(frozen=True)
class DPMSolver3M(Sampler[History]):
    """A parabola in l through the last three clean estimates, integrated exactly (arXiv 2211.01095).

    The first two steps have fewer estimates and lower order; they lie where the estimate hardly moves.
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
    ) -> tuple[Tensor, History]:
        """See ``Sampler.step``."""
        process = denoiser.process
        here = Estimate(denoiser(x_t, t, cond).mean, float(process.log_ratio(t)))
        known = (here, *(state or ()))[: self.order]
        return flow(process, x_t, t, s, known), known
