"""UniPC: every estimate is used twice, to correct the step that led to it and to predict the next one."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler
from unfog.sample.exponential import Estimate, flow


@dataclass(frozen=True)
class Journey:
    """The step that led here: where it began, and what was known then, newest first."""

    x: Tensor
    t: Tensor
    known: tuple[Estimate, ...]


@dataclass(frozen=True)
class UniPC(Sampler[Journey]):
    """Predicts with two estimates and corrects with three, for one call a step (arXiv 2302.04867).

    The correction repeats the previous step with the estimate at its end, which was not known then; it costs
    no call and gains one order. Coefficients are the exact integrals (the paper's varying-coefficient form).

    Attributes:
        reach: estimates that a prediction leans on: 2 and 3 are the paper's UniPC-2 and UniPC-3, of
            orders 3 and 4.
    """

    reach: int = 2

    order = 3

    def step(
        self,
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: Journey | None,
    ) -> tuple[Tensor, Journey]:
        """See ``Sampler.step``."""
        process = denoiser.process
        here = Estimate(denoiser(x_t, t, cond).mean, float(process.log_ratio(t)))
        before = state.known if state is not None else ()
        if state is not None:
            x_t = flow(process, state.x, state.t, t, (here, *before))
        known = (here, *before)[: self.reach]
        return flow(process, x_t, t, s, known), Journey(x_t, t, known)
