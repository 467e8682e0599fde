"""Remasking: while hidden tokens are named, some that were named are hidden again, and chosen anew.

Ancestral sampling cannot take anything back. ReMDM (Wang et al. 2025, arXiv 2503.00307) hides a visible
token with probability sigma in each step, and names hidden ones a little faster to make up for it: how many
are hidden at each time stays the same, and with small steps so does the law. sigma may be at most

    sigma_max = min(1, (1 - alpha_s) / alpha_t)

which is 0 in a step to the data: what is there in the end stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from unfog.condition.base import Condition
from unfog.config import nearest
from unfog.denoise.categorical import CategoricalPosterior
from unfog.errors import SampleError
from unfog.process.base import Process
from unfog.rng import Noise
from unfog.sample.base import Sampler
from unfog.sample.tokens import Unmasker, check_masked, check_options, filled, places

KINDS = ("cap", "rescale")


@dataclass(frozen=True)
class Remask(Sampler[None, Unmasker]):
    """Ancestral sampling that may change its mind; tokens that were given stay.

    Attributes:
        kind: "cap" is sigma = min(eta, sigma_max), "rescale" is sigma = eta sigma_max.
        eta: how much is hidden again; the paper's is 0.008 to 0.02 for about 1,000 steps, fewer take more.
        temperature: 1 keeps the law, 0 takes the most likely token.
        top_p: share of the probability that is kept, the most likely tokens first; the paper's is 0.9.
    """

    kind: str = "cap"
    eta: float = 0.02
    temperature: float = 1.0
    top_p: float = 1.0

    order = 1
    steps_on = CategoricalPosterior
    stochastic = True

    def __post_init__(self) -> None:
        check_options(self.temperature, self.top_p)
        if self.kind not in KINDS:
            raise SampleError(f"There is no remasking {self.kind!r}. {nearest(self.kind, KINDS)}")
        if not 0 <= self.eta <= 1:
            raise SampleError(f"eta={self.eta}: give a share from 0 (ancestral) to 1, such as 0.02.")

    def check(self, process: Process, steps: int) -> None:
        """See ``Sampler.check``."""
        check_masked(process, "remask")

    def rates(self, kept_t: float, kept_s: float) -> tuple[float, float]:
        """The probabilities that a visible token is hidden and a hidden one named in a step.

        Args:
            kept_t, kept_s: alpha at its start and end.
        """
        most = min(1.0, (1 - kept_s) / kept_t) if kept_t else 0.0
        sigma = min(self.eta, most) if self.kind == "cap" else self.eta * most
        return sigma, (kept_s - (1 - sigma) * kept_t) / (1 - kept_t)

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
        process = denoiser.process
        hides, names = self.rates(process.numbers(t)[0], process.numbers(s)[0])
        lots, place = places(x_t.shape, rng).to(x_t.device), places(x_t.shape, rng)
        hidden = x_t == process.mask
        if not bool(((lots < names) & hidden | (lots < hides) & ~hidden).any()):
            return x_t, None
        posterior: CategoricalPosterior = denoiser(x_t, t, cond)
        x_s = filled(posterior, lots < names, place, self.temperature, self.top_p)
        again = ~posterior.open & (lots < hides)
        if posterior.given is not None:
            again = again & ~posterior.given
        return x_s.masked_fill(again, process.mask), None
