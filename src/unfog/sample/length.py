"""The length first: how a text ends is settled before the rest of it is written.

Where texts are followed by END up to the end of their row, the places where END may begin say how long the
text will be: with all of it hidden,

    p(x_i = END) = p(the text is over by place i)

is the distribution of its length, from a single call. Drawn first, and after it the last token of the text,
which is not END, it changes no law, as no order does when the probabilities are exact. It changes what low
temperatures do. Naming the surest token first, END is soon the surest one at a place where the text is over
in four of ten cases, because the other six share so many words: texts end too early, and more so the surer
the sampler wants to be. The median of the length has no such leaning. And a tail of ENDs that is written at
once costs no further call.

That a model knows the length beforehand was seen by Li et al. 2025 (arXiv 2508.00819), who let a canvas grow
until its end is likely enough; here the length is read off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser
from unfog.denoise.categorical import CategoricalPosterior
from unfog.process.base import Process
from unfog.process.masked import MaskedProcess
from unfog.rng import Noise
from unfog.sample.ancestral import Ancestral
from unfog.sample.base import Sampler, last_step
from unfog.sample.ordered import Ordered
from unfog.sample.tokens import Unmasker, filled, places

SURE = 0.99  # a text that is over by a place, or is not, with this probability has no length to be drawn


class _Said(Denoiser[MaskedProcess, CategoricalPosterior]):
    """A denoiser that was asked already."""

    def __init__(self, process: MaskedProcess, posterior: CategoricalPosterior) -> None:
        super().__init__()
        self.process, self.posterior = process, posterior

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> CategoricalPosterior:
        return self.posterior


class _Going(Denoiser[MaskedProcess, CategoricalPosterior]):
    """A denoiser of texts that are not over: END gets no probability."""

    def __init__(self, inner: Unmasker, end: int) -> None:
        super().__init__()
        self.inner, self.process, self.end = inner, inner.process, end

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> CategoricalPosterior:
        posterior: CategoricalPosterior = self.inner(x_t, t, cond)
        rows = posterior.rows.clone()
        rows[:, self.end] = -torch.inf
        return posterior.with_rows(rows.log_softmax(1))


@dataclass(frozen=True)
class LengthFirst(Sampler[Any, Unmasker]):
    """Settles in two steps how texts end, and leaves the rest to another sampler.

    The first step draws the length, the second the last token. A text whose length is certain has no need of
    that, and goes on at once.

    Attributes:
        inner: names the tokens of the text; at its temperature 1 the length is drawn from its law, at 0 it
            is the median.
        end: the token that follows a text up to the end of its row.
    """

    inner: Ancestral | Ordered
    end: int

    order = 1
    steps_on = CategoricalPosterior
    stochastic = True

    def check(self, process: Process, steps: int) -> None:
        """See ``Sampler.check``."""
        self.inner.check(process, steps)

    def step(
        self,
        denoiser: Unmasker,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: Any | None,
    ) -> tuple[Tensor, Any]:
        """See ``Sampler.step``; the last one does all that is left. The state: who waits for a last token."""
        going, process = _Going(denoiser, self.end), denoiser.process
        if state is None:
            lot = places((len(x_t), 1), rng).to(x_t.device)
            posterior = denoiser(x_t, t, cond)
            x_t, sure = self.ended(posterior, lot)
            said = _Going(_Said(process, posterior.close(x_t, x_t != process.mask)), self.end)
            begun = self.inner.step(said, x_t, t, s, cond, rng, None)[0]
            x_t, state = torch.where(sure, begun, x_t), ~sure
            if not last_step(s):
                return x_t, state
        if isinstance(state, Tensor):
            x_t = self.closed(going, x_t, t, s, cond, rng, state)
            if not last_step(s):
                return x_t, True
        return self.inner.step(going, x_t, t, s, cond, rng, None)[0], True

    def ended(self, posterior: CategoricalPosterior, lot: Tensor) -> tuple[Tensor, Tensor]:
        """x_t with END from where each text ends, (B, L), and whether that was certain, (B, 1).

        Args:
            posterior: of texts of which an end is open.
            lot: uniform numbers, (B, 1), float64.
        """
        over = torch.zeros(posterior.open.shape, dtype=torch.float64, device=posterior.open.device)
        over[posterior.open] = posterior.rows[:, self.end].exp().double()
        # only what stands behind all known tokens can be the end; a text that is over stays over
        known = (~posterior.open).flip(1).cummax(1).values.flip(1)
        over = over.masked_fill(known, 0.0).cummax(1).values
        quantile = 0.5 + min(1.0, self.inner.temperature) * (lot - 0.5)
        sure = ((over - 0.5).abs() > SURE - 0.5).all(1, keepdim=True)
        return torch.where(posterior.open & ~known & (over > quantile), self.end, posterior.x_t), sure

    def closed(
        self,
        going: Unmasker,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        waiting: Tensor,
    ) -> Tensor:
        """x_t with the last token of the texts that wait for it, (B, 1); the others take a step."""
        place = places(x_t.shape, rng)
        after = torch.nn.functional.pad(x_t[:, 1:], (0, 1), value=self.end)
        last = (x_t == going.process.mask) & (after == self.end)
        last &= last.flip(1).cumsum(1).flip(1) == 1
        if bool((last & waiting).any()):
            posterior = going(x_t, t, cond)
            named = filled(posterior, last & waiting, place, self.inner.temperature, self.inner.top_p)
            going = _Said(going.process, posterior)
        else:
            named = x_t
        return torch.where(waiting, named, self.inner.step(going, x_t, t, s, cond, rng, None)[0])
