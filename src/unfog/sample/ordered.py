"""Naming hidden tokens in an order: the surest first, or by lot, a fixed share of them in each step.

    Confidence   the largest probability of a token (MaskGIT, Chang et al. 2022, arXiv 2202.04200; LLaDA, Nie
                 et al. 2025, arXiv 2502.09992)
    Entropy      the smallest entropy (Dream; Ben-Hamu et al. 2025, arXiv 2505.24857)
    Margin       the largest lead of the first token over the second (Kim et al. 2025, arXiv 2502.06768)
    Threshold    all whose probability exceeds tau, at least one a step (Fast-dLLM, Wu et al. 2025, arXiv
                 2505.22618): easy texts take few calls
    Random       any, but as many as in the other orders: ancestral sampling with a known number of calls
    Reading      the first ones, as we read: a text goes on from what is written, and is over with its END

How sure is read from the probabilities before a token is drawn, and not from the one that was: to prefer
positions that happened to draw a likely token would make likely tokens likelier than they are. So with one
token a step the law is that of the model in every order. With several a step, sure ones hardly depend on
each other, which is why these orders lose less than chance does; the price is variety where the model is
wrong.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.categorical import CategoricalPosterior
from unfog.errors import SampleError
from unfog.process.base import Process
from unfog.rng import Noise
from unfog.sample.base import Sampler
from unfog.sample.tokens import Unmasker, check_masked, check_options, filled, places


@dataclass(frozen=True)
class Ordered(Sampler[None, Unmasker]):
    """Names as many hidden tokens as the schedule loses between s and t, the surest first.

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

    @abstractmethod
    def certainty(self, rows: Tensor, lots: Tensor) -> Tensor:
        """How sure each open position is, (M,); by log-probabilities (M, V), or by uniform numbers (M,)."""

    def quota(self, open: Tensor, certainty: Tensor, share: float) -> Tensor:
        """How many open positions of each example to name, (B,).

        Args:
            open: (B, L), bool.
            certainty: (B, L).
            share: of the open positions.
        """
        return (open.sum(1) * share + 0.5).floor().long()

    def check(self, process: Process, steps: int) -> None:
        """See ``Sampler.check``."""
        check_masked(process, type(self).__name__.lower())

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
        """See ``Sampler.step``; nothing is asked of the network where no example names a token."""
        share = denoiser.process.reveal(t, s)
        lots, place = places(x_t.shape, rng), places(x_t.shape, rng)
        hidden = x_t == denoiser.process.mask
        if not bool(self.quota(hidden, torch.zeros(x_t.shape, device=x_t.device), share).any()):
            return x_t, None
        posterior: CategoricalPosterior = denoiser(x_t, t, cond)
        open = posterior.open
        sure = self.certainty(posterior.rows, lots.to(x_t.device)[open])
        certainty = torch.full(x_t.shape, -torch.inf, dtype=sure.dtype, device=x_t.device)
        certainty[open] = sure
        # of equals the first comes first
        rank = certainty.argsort(dim=1, descending=True, stable=True).argsort(1)
        chosen = rank < self.quota(open, certainty, share)[:, None]
        return filled(posterior, chosen, place, self.temperature, self.top_p), None


@dataclass(frozen=True)
class Confidence(Ordered):
    """The largest probability first."""

    def certainty(self, rows: Tensor, lots: Tensor) -> Tensor:
        """The largest probability."""
        return rows.amax(1).exp()


@dataclass(frozen=True)
class Entropy(Ordered):
    """The smallest entropy first."""

    def certainty(self, rows: Tensor, lots: Tensor) -> Tensor:
        """Minus the entropy, in nats."""
        negative: Tensor = -torch.special.entr(rows.exp()).sum(1)
        return negative


@dataclass(frozen=True)
class Margin(Ordered):
    """The largest lead of the most likely token over the next first."""

    def certainty(self, rows: Tensor, lots: Tensor) -> Tensor:
        """The difference of the two largest probabilities."""
        largest = rows.topk(min(2, rows.shape[1]), 1).values.exp()
        return largest[:, 0] - largest[:, 1:].sum(1)


@dataclass(frozen=True)
class Random(Ordered):
    """By lot."""

    def certainty(self, rows: Tensor, lots: Tensor) -> Tensor:
        """The lots."""
        return lots


@dataclass(frozen=True)
class Reading(Ordered):
    """From the first place to the last."""

    def certainty(self, rows: Tensor, lots: Tensor) -> Tensor:
        """All the same: of equals the first comes first."""
        return torch.zeros_like(lots)


@dataclass(frozen=True)
class Threshold(Ordered):
    """All that are sure enough, at least one, and never fewer than the schedule asks for.

    With as many steps as tokens the schedule asks for one a step, and all else is up to the model. Once all
    are named, the steps that are left ask the network nothing.

    Attributes:
        tau: the probability that is sure enough.
    """

    tau: float = 0.9

    def __post_init__(self) -> None:
        check_options(self.temperature, self.top_p)
        if not 0 <= self.tau <= 1:
            raise SampleError(f"tau={self.tau}: give a probability from 0 to 1, such as 0.9.")

    def certainty(self, rows: Tensor, lots: Tensor) -> Tensor:
        """The largest probability."""
        return rows.amax(1).exp()

    def quota(self, open: Tensor, certainty: Tensor, share: float) -> Tensor:
        """The sure ones, and at least as many as share out evenly, one at the least."""
        count = open.sum(1)
        sure = (open & (certainty > self.tau)).sum(1)
        paced = (count * share + 0.5).floor().long().clamp_min(1)
        return torch.maximum(sure, paced).minimum(count)
