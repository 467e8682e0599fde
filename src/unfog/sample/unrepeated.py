"""Nothing twice: no run of n tokens that stands in the text already is written again.

At low temperatures, and where several tokens are named at once, models of text stammer: "theme theme theme".
Each place by itself is sure of the likeliest word, and it is the same word at all of them. Autoregressive
models do so too, and there what helps is to leave out each token that would complete an n-gram for the
second time (Paulus et al. 2018, arXiv 1705.04304). Diffusion writes in any order, so

    a token is barred at place i if any window of n places around i would then read as another one does,

and because tokens that are named in one step do not see each other, what they repeat together is hidden
again and named anew. This changes the law on purpose, as temperatures do; real texts repeat themselves too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser
from unfog.denoise.categorical import CategoricalPosterior
from unfog.errors import SampleError
from unfog.process.base import Process
from unfog.process.masked import MaskedProcess
from unfog.rng import Noise
from unfog.sample.base import Sampler, last_step
from unfog.sample.tokens import ALL, OWN, Unmasker, filled, places


@dataclass(frozen=True)
class Unrepeated(Sampler[Any, Unmasker]):
    """Another sampler of masked diffusion, kept from writing n tokens in a row twice.

    What was given is never touched, repeats in it included, and what is written repeats none of it.

    Attributes:
        inner: names the tokens.
        n: tokens of a run that may stand once only, 1 or more.
        free: tokens that do not count, such as END: a run with one of them may stand again.
        before: tokens in front of the canvas that are not to be repeated either, (B, P), or None.
    """

    inner: Sampler[Any, Unmasker]
    n: int
    free: tuple[int, ...] = ()
    before: Tensor | None = None

    order = 1
    steps_on = CategoricalPosterior
    stochastic = True

    def __post_init__(self) -> None:
        if self.n < 1:
            raise SampleError(f"Runs of {self.n} tokens: give 1 or more.")

    def check(self, process: Process, steps: int) -> None:
        """See ``Sampler.check``."""
        if not isinstance(process, MaskedProcess):
            raise SampleError(
                "This model exchanges tokens again and again, so it cannot be told what stands already: "
                "leave no_repeat out."
            )
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
        """See ``Sampler.step``; the last one asks once more for each token that others are in the way of."""
        mask, fresh = denoiser.process.mask, _Fresh(denoiser, self)
        x_s, state = self.inner.step(fresh, x_t, t, s, cond, rng, state)
        x_s = self.hidden_again(x_s, (x_t == mask) & (x_s != mask), mask)
        if last_step(s):
            place = places(x_t.shape, rng)  # once, so that no text hangs on how often others ask
            while bool((hidden := x_s == mask).any()):
                first = hidden & (hidden.cumsum(1) == 1)
                x_s = filled(fresh(x_s, s, cond), first, place, *self.options)
        return x_s, state

    @property
    def options(self) -> tuple[float, float]:
        """Temperature and top-p of whoever names the tokens."""
        inner = getattr(self.inner, "inner", self.inner)  # under ``LengthFirst``
        return getattr(inner, "temperature", OWN), getattr(inner, "top_p", ALL)

    def hidden_again(self, x: Tensor, new: Tensor, mask: int) -> Tensor:
        """x with what is ``new`` (B, L) hidden in windows that read as an earlier one, or in that one."""
        while bool(new.any()):
            same = self.equal(x, mask)
            twice = same.clone()
            for step in range(1, self.n):
                twice &= shifted(same, step)
            front = 0 if self.before is None else self.before.shape[1]
            padded = torch.nn.functional.pad(new, (front, 0))
            later = (twice.tril(-1).any(2), twice.triu(1).any(2))  # the second of two first
            blamed = next((found for at in later if bool((found := spread(at, self.n) & padded).any())), None)
            if blamed is None:
                break
            blamed = blamed[:, front:]
            x, new = x.masked_fill(blamed, mask), new & ~blamed
        return x

    def equal(self, x: Tensor, mask: int) -> Tensor:
        """Which places show the same token, one that counts: (B, P + L, P + L), bool."""
        text = self.text(x)
        counts = self.counting(text, mask)
        return (text[:, :, None] == text[:, None]) & counts[:, :, None] & counts[:, None]

    def text(self, x: Tensor) -> Tensor:
        """x (B, L) behind what stands before it, (B, P + L)."""
        return x if self.before is None else torch.cat([self.before.to(x.device), x], 1)

    def counting(self, text: Tensor, mask: int) -> Tensor:
        """Which tokens of a text are seen and count, bool."""
        return ~torch.isin(text, torch.tensor([mask, *self.free], device=text.device))


class _Fresh(Denoiser[MaskedProcess, CategoricalPosterior]):
    """A denoiser that leaves out what would stand there for the second time."""

    def __init__(self, inner: Unmasker, rule: Unrepeated) -> None:
        super().__init__()
        self.inner, self.process, self.rule = inner, inner.process, rule

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> CategoricalPosterior:
        posterior: CategoricalPosterior = self.inner(x_t, t, cond)
        barred = self.barred(posterior)
        # a text of few tokens may have none left: there anything goes
        barred &= ~barred.all(1, keepdim=True)
        return posterior.with_rows(posterior.rows.masked_fill(barred, -torch.inf).log_softmax(1))

    def barred(self, posterior: CategoricalPosterior) -> Tensor:
        """Which tokens would repeat a run, for each open position, (M, V), bool."""
        rule, rows = self.rule, posterior.rows
        same, text = rule.equal(posterior.x_t, self.process.mask), rule.text(posterior.x_t)
        front = text.shape[1] - posterior.x_t.shape[1]
        seen = rule.counting(text, self.process.mask)
        number = posterior.open.long().flatten().cumsum(0).view(posterior.open.shape) - 1
        barred = torch.zeros(rows.shape, dtype=torch.bool, device=rows.device)
        for at in range(rule.n):  # place i is the one with this number in the window
            would = seen[:, None, :].expand_as(same).clone()
            for step in range(-at, rule.n - at):
                if step:
                    would &= shifted(same, step)
            example, i, j = (would[:, front:] & posterior.open[:, :, None]).nonzero(as_tuple=True)
            barred[number[example, i], text[example, j]] = True
        for period in range(1, rule.n):  # one token makes two windows that overlap, as in "a a a"
            example, i = (self.joins(same, period)[:, front:] & posterior.open).nonzero(as_tuple=True)
            barred[number[example, i], text[example, i + front - period]] = True
        return barred

    def joins(self, same: Tensor, period: int) -> Tensor:
        """Where the token of ``period`` places before would make a run repeat itself, (B, P + L), bool."""
        n, size = self.rule.n, same.shape[1]
        ahead = torch.nn.functional.pad(same.diagonal(period, 1, 2), (0, period))[..., :size]
        around = torch.nn.functional.pad(same.diagonal(2 * period, 1, 2), (period, period))[..., :size]
        found = torch.zeros_like(around)
        for first in range(1 - n, 1 - period):  # the window begins so far from i, and holds i - period and i
            here = around.clone()
            for step in range(first, first + n):
                if step not in (-period, 0):
                    here &= torch.nn.functional.pad(ahead, (-step, step))
            found |= here
        return found


def shifted(same: Tensor, step: int) -> Tensor:
    """same[b, i + step, j + step], false where that is outside, (B, L, L)."""
    edges = (-step, step, -step, step)  # negative numbers cut off
    return torch.nn.functional.pad(same, edges)


def spread(starts: Tensor, n: int) -> Tensor:
    """Which places lie in a window of n places that starts at one of ``starts`` (B, L), bool."""
    found = starts.clone()
    for step in range(1, n):
        found |= torch.nn.functional.pad(starts, (step, -step))
    return found
