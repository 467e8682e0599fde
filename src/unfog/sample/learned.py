"""A multistep sampler whose weights were fitted to one model, for one number of steps.

The third-order multistep rule is right for smooth estimates and many steps. With six steps the estimates are
neither smooth nor close together, and other weights for the same three estimates end nearer to where many
steps would end. They are a few numbers for each step, learned from the model's own trajectories while the
network stays as it is (S4S, Frankel et al. 2025, arXiv 2502.17423, in the same spirit).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import Sampler
from unfog.sample.exponential import Estimate, combine, flow

REACH = 3  # estimates that a step leans on


@dataclass(frozen=True)
class Past:
    """How many steps were taken, and the last clean estimates, newest first."""

    steps: int
    known: tuple[Estimate, ...]


@dataclass(frozen=True)
class Learned(Sampler[Past]):
    """DPM-Solver++(3M) plus what was learned; without anything learned it is that sampler.

    Attributes:
        corrections: for each step, what to add to the weight of each estimate, newest first, as a share of
            alpha_s; missing ones are 0.
    """

    corrections: tuple[tuple[float, ...], ...] = ()

    order = 3

    def step(
        self,
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: Past | None,
    ) -> tuple[Tensor, Past]:
        """See ``Sampler.step``."""
        process = denoiser.process
        here = Estimate(denoiser(x_t, t, cond).mean, float(process.log_ratio(t)))
        count, before = (state.steps, state.known) if state is not None else (0, ())
        known = (here, *before)[:REACH]
        x_s = flow(process, x_t, t, s, known)
        more = self.corrections[count][: len(known)] if count < len(self.corrections) else ()
        if more:
            x_s = x_s + process.numbers(s)[0] * combine(known[: len(more)], more)
        return x_s, Past(count + 1, known)
