"""From hidden or exchanged tokens to probabilities of the true ones: posteriors of text, and networks for
them.

A posterior says log p(x_i | x_t) for each position by itself. Where masked diffusion shows a token there is
nothing to say: it is the true one, is carried over and never predicted again, and MASK is never the answer
(the two substitutions of MDLM, Sahoo et al. 2024, arXiv 2406.07524). So only the rows of ``open`` positions
are kept, and a network that can is asked for those alone: naming tokens is the dearest part of it.

Uniform diffusion has a trap. A network trained by cross-entropy learns p(x_i | x_t), which has looked at the
position's own noisy token. The bound and the reverse step need what the *other* positions say, without it:

    leave one out:  p(x_i | x_t but for i)  is proportional to  p(x_i | x_t) / q(x_t,i | x_i)

Put into the bound as it is, the posterior counts its own token twice: the bound is then far from the entropy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser, Posterior
from unfog.process.discrete import DiscreteProcess
from unfog.process.masked import MaskedProcess
from unfog.process.uniform import UniformProcess

CLOCK_LIMIT = 15.0  # of |log(alpha / (1 - alpha))|, which is infinite at both ends
NEVER = -1e4  # a log-probability of nothing, with which guidance can still be computed


@dataclass(frozen=True)
class CategoricalPosterior(Posterior):
    """Log-probabilities of the true token, for each position that is still open.

    M positions of the batch are open, in the order of ``open.nonzero()``.

    Attributes:
        rows: log p(x_i | x_t) for each open position, (M, V), V <= K: the tokens that data can hold.
        x_t: what it was estimated from, (B, L), int64.
        open: which positions are not known, (B, L), bool.
        vocabulary: K.
        given: positions that are known from elsewhere and must not be touched, (B, L), bool; None for none.
    """

    rows: Tensor
    x_t: Tensor
    open: Tensor
    vocabulary: int
    given: Tensor | None = None

    @classmethod
    def of(cls, log_probs: Tensor, x_t: Tensor, open: Tensor) -> Self:
        """From normalised log-probabilities of all positions, (B, L, K); only those of open ones are read."""
        return cls(log_probs[open], x_t, open, log_probs.shape[-1])

    @property
    def log_probs(self) -> Tensor:
        """Of every position and token, (B, L, K): closed positions are certain of what they show."""
        shown = nn.functional.one_hot(self.x_t, self.vocabulary).to(self.rows.dtype).log()
        missing = self.vocabulary - self.rows.shape[1]
        shown[self.open] = nn.functional.pad(self.rows, (0, missing), value=-torch.inf)
        return shown

    @property
    def guess(self) -> Tensor:
        """The most likely token of every position, (B, L)."""
        return self.x_t.masked_scatter(self.open, self.rows.argmax(1))

    def divergence(self, x: Tensor) -> Tensor:
        """Cross-entropy, -log p(x_i | x_t) summed over open positions, in nats, (B,)."""
        lost = -self.rows.gather(1, x[self.open][:, None])[:, 0]
        return lost.new_zeros(len(x)).index_add(0, self.examples, lost)

    @property
    def examples(self) -> Tensor:
        """The number of the example that each row belongs to, (M,)."""
        return self.open.nonzero()[:, 0]

    def extrapolate(self, other: Self, scale: float) -> Self:
        """Guidance on log-probabilities, normalised again: p^scale other^(1 - scale)."""
        mine, theirs = self.rows.clamp_min(NEVER), other.rows.clamp_min(NEVER)
        return self.with_rows((theirs + scale * (mine - theirs)).log_softmax(1))

    def halves(self) -> tuple[Self, Self]:
        """See ``Posterior.halves``."""
        count = int(self.open[: len(self.open) // 2].sum())
        given = (None, None) if self.given is None else self.given.tensor_split(2)
        parts = ((self.rows[:count], self.rows[count:]), self.x_t.tensor_split(2), self.open.tensor_split(2))
        first, second = (
            replace(self, rows=rows, x_t=x_t, open=open, given=known)
            for rows, x_t, open, known in zip(*parts, given, strict=True)
        )
        return first, second

    def where(self, chosen: Tensor, other: Self) -> Self:
        """See ``Posterior.where``; both must have the same positions open."""
        mine = chosen.to(self.rows.device).expand(len(self.x_t))[self.examples]
        return self.with_rows(torch.where(mine[:, None], self.rows, other.rows))

    def with_rows(self, rows: Tensor) -> Self:
        """The same positions, with other log-probabilities (M, V)."""
        return replace(self, rows=rows)

    def close(self, tokens: Tensor, where: Tensor) -> Self:
        """The posterior that knows the ``tokens`` (B, L) to be true ``where``, (B, L) bool."""
        given = where if self.given is None else self.given | where
        still = self.open & ~where
        x_t = torch.where(where, tokens, self.x_t)
        return replace(self, rows=self.rows[still[self.open]], x_t=x_t, open=still, given=given)


TokenDenoiser = Denoiser[DiscreteProcess, CategoricalPosterior]
"""Any denoiser of text."""


class MaskedDenoiser(Denoiser[MaskedProcess, CategoricalPosterior]):
    """Turns any network into p(x_i | x_t) of masked diffusion.

    Args:
        network: called as ``network(tokens, clock, **slots)`` with tokens (B, L) and clock (B,), which is
            log(alpha / (1 - alpha)), and which it may ignore: how much is hidden can be counted. Returns
            logits (B, L, V); what it says of MASK, the last of K, is not used. If it has the methods
            ``hidden(tokens, **slots)`` (B, L, D) and ``logits_of(hidden)`` (..., V), only open positions are
            named.
        process: how tokens are hidden.
    """

    def __init__(self, network: nn.Module, process: MaskedProcess) -> None:
        super().__init__()
        self.network, self.process = network, process

    def onto(self, network: nn.Module) -> MaskedDenoiser:
        """The same of another network."""
        return MaskedDenoiser(network, self.process)

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> CategoricalPosterior:
        """See ``Denoiser.forward``."""
        hidden = x_t == self.process.mask
        logits = _asked(self.network, x_t, _clock(self.process, t, x_t), cond, hidden)
        rows = logits[:, : self.process.mask].log_softmax(1)
        return CategoricalPosterior(rows, x_t, hidden, self.process.vocabulary)


class UniformDenoiser(Denoiser[UniformProcess, CategoricalPosterior]):
    """Turns a network trained by cross-entropy on uniform noise into p(x_i | x_t); all positions are open.

    For the bound and for sampling the position's own token is taken out of it, see ``leave_one_out``.

    Args:
        network: as for ``MaskedDenoiser``, with logits (B, L, K).
        process: how tokens are exchanged.
        adds_own: whether the network speaks of the other positions alone, and what the own token says is
            added here. Then a network without a clock can be right at all noise levels.
    """

    def __init__(self, network: nn.Module, process: UniformProcess, *, adds_own: bool = False) -> None:
        super().__init__()
        self.network, self.process, self.adds_own = network, process, adds_own

    def onto(self, network: nn.Module) -> UniformDenoiser:
        """The same of another network."""
        return UniformDenoiser(network, self.process, adds_own=self.adds_own)

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> CategoricalPosterior:
        """See ``Denoiser.forward``."""
        everywhere = torch.ones_like(x_t, dtype=torch.bool)
        logits = _asked(self.network, x_t, _clock(self.process, t, x_t), cond, everywhere)
        posterior = CategoricalPosterior(logits, x_t, everywhere, self.process.vocabulary)
        if self.adds_own:
            return posterior.with_rows(_with_own(posterior, self.process, t, 1.0))
        return posterior.with_rows(logits.log_softmax(1))


def leave_one_out(posterior: CategoricalPosterior, process: UniformProcess, t: Tensor) -> Tensor:
    """Log p(x_i | all of x_t but its own token) for each open position, (M, K), normalised.

    Args:
        posterior: log p(x_i | x_t) of uniform diffusion.
        process: how tokens are exchanged.
        t: times above 0, () or (B,).
    """
    return _with_own(posterior, process, t, -1.0)


def _with_own(posterior: CategoricalPosterior, process: UniformProcess, t: Tensor, sign: float) -> Tensor:
    """The rows times, or for a sign of -1 divided by, the likelihood of each position's own token."""
    own = posterior.x_t[posterior.open][:, None]
    # of the likelihood only the ratio between the own token and all others counts
    odds = process.log_odds(t).to(posterior.rows.device).expand(len(posterior.x_t))[posterior.examples]
    added = (sign * odds)[:, None].to(posterior.rows)
    return posterior.rows.scatter_add(1, own, added).log_softmax(1)


def _clock(process: DiscreteProcess, t: Tensor, x_t: Tensor) -> Tensor:
    clock = process.log_ratio(t).clamp(-CLOCK_LIMIT, CLOCK_LIMIT)
    return clock.to(x_t.device, torch.float32).expand(len(x_t))


def _asked(network: Any, x_t: Tensor, clock: Tensor, cond: Condition, where: Tensor) -> Tensor:
    """The network's logits at the positions ``where``, (M, V), at least float32."""
    logits: Tensor
    if hasattr(network, "logits_of"):
        logits = network.logits_of(network.hidden(x_t, **cond.slots())[where])
    else:
        logits = network(x_t, clock, **cond.slots())[where]
    return logits if logits.dtype == torch.float64 else logits.float()
