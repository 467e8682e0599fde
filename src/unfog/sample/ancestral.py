"""Ancestral sampling of masked diffusion: the exact reverse of hiding tokens, for any schedule and any
strides.

From t to s each hidden token is named with the probability that it was hidden in between, independently of
all others, and stays hidden else (Sahoo et al. 2024, arXiv 2406.07524). Which ones does not depend on what
they will be: so this is drawn first, and a step that names none asks the network nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.categorical import CategoricalPosterior
from unfog.process.base import Process
from unfog.rng import Noise
from unfog.sample.base import Sampler
from unfog.sample.tokens import Unmasker, check_masked, check_options, filled, places


@dataclass(frozen=True)
class Ancestral(Sampler[None, Unmasker]):
    """Names each hidden token with the probability (alpha_s - alpha_t) / (1 - alpha_t).

    Exact for one token a step; tokens named in one step do not see each other, so more steps are better.

    Attributes:
        temperature: 1 keeps the law, 0 takes the most likely token.
        top_p: share of the probability that is kept, the most likely tokens first.
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
        check_masked(process, "ancestral")

    def step(
        self,
        denoiser: Unmasker,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: None,
    ) -> tuple[Tensor, None]:
        """See ``Sampler.step``."""
        # both are drawn in any case, so that an example never depends on what its neighbours need
        lots, place = places(x_t.shape, rng), places(x_t.shape, rng)
        chosen = (x_t == denoiser.process.mask) & (lots < denoiser.process.reveal(t, s)).to(x_t.device)
        if not bool(chosen.any()):
            return x_t, None
        return filled(denoiser(x_t, t, cond), chosen, place, self.temperature, self.top_p), None
