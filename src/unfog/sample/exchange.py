"""Ancestral sampling of uniform diffusion: every token may change in every step.

What the other positions say of a token, p(x_i | all but its own), is taken through the noise up to s, and
weighed with what its own observation x_t says (Schiff et al. 2024, arXiv 2412.10193):

    p(x_s = j | x_t)  is proportional to  q(x_t | x_s = j) (alpha_s p(x = j | others) + (1 - alpha_s) / K)

Exact for each position by itself. With the posterior in place of the leave-one-out law the observation
would count twice, see ``denoise/categorical.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.denoise.categorical import CategoricalPosterior, leave_one_out
from unfog.errors import SampleError
from unfog.process.base import Process
from unfog.process.uniform import UniformProcess
from unfog.rng import Noise
from unfog.sample.base import Sampler
from unfog.sample.tokens import check_options, drawn, places, tempered

Exchanger = Denoiser[UniformProcess, CategoricalPosterior]
"""A denoiser of uniform diffusion."""


@dataclass(frozen=True)
class Exchange(Sampler[None, Exchanger]):
    """Draws every token anew from p(x_s | x_t); the network is asked in every step.

    Attributes:
        temperature: of what the other positions say; 1 keeps the law, 0 is certain of the most likely token.
        top_p: share of its probability that is kept, the most likely tokens first.
    """

    temperature: float = 1.0
    top_p: float = 1.0

    order = 1
    steps_on = CategoricalPosterior
    stochastic = True

    def __post_init__(self) -> None:
        check_options(self.temperature, self.top_p)

    def check(self, process: Process, steps: int) -> None:
        """See ``Sampler.check``."""
        if not isinstance(process, UniformProcess):
            raise SampleError(
                f"The sampler 'uniform' mends exchanged tokens, {type(process).__name__} exchanges none. "
                "Take --sampler ancestral."
            )

    def step(
        self,
        denoiser: Exchanger,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: None,
    ) -> tuple[Tensor, None]:
        """See ``Sampler.step``."""
        process = denoiser.process
        (kept_t, _), (kept_s, lost_s) = process.numbers(t), process.numbers(s)
        place = places(x_t.shape, rng).to(x_t.device)
        posterior: CategoricalPosterior = denoiser(x_t, t, cond)
        others = tempered(leave_one_out(posterior, process, t), self.temperature, self.top_p)
        others = others / others.sum(1, keepdim=True)
        at_s = kept_s * others + lost_s / process.vocabulary
        since = kept_t / kept_s  # the share of x_s that is kept until t
        own = posterior.x_t[posterior.open][:, None]
        seen = torch.full_like(at_s, (1 - since) / process.vocabulary)
        seen = seen.scatter_add(1, own, seen.new_full(own.shape, since))
        return posterior.x_t.masked_scatter(posterior.open, drawn(at_s * seen, place[posterior.open])), None
