"""Over is over: once a text has its END and nothing open before it, no more is asked of the network.

Models of rows in which texts lie end to end write what would follow the END too: the next text, which
nobody reads. What is read has its law all the same, whatever stands behind it. So the rest of the row is
closed with END, and texts that are shorter than their canvas cost fewer calls; most are saved where tokens
are named from left to right (``Reading``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.categorical import CategoricalPosterior
from unfog.process.base import Process
from unfog.rng import Noise
from unfog.sample.base import Sampler
from unfog.sample.tokens import Unmasker


@dataclass(frozen=True)
class Closing(Sampler[Any, Unmasker]):
    """Another sampler of masked diffusion that keeps what it has named, whose texts are closed when over.

    Attributes:
        inner: names the tokens.
        end: the token that ends a text. Those that were given end none.
    """

    inner: Sampler[Any, Unmasker]
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
        state: tuple[Tensor, Any] | None,
    ) -> tuple[Tensor, tuple[Tensor, Any]]:
        """See ``Sampler.step``. The state: what was open at first, and that of the inner sampler."""
        mask = denoiser.process.mask
        open, inner = (x_t == mask, None) if state is None else state
        x_s, inner = self.inner.step(denoiser, x_t, t, s, cond, rng, inner)
        waiting = (x_s == mask).cumsum(1) > 0
        over = ((x_s == self.end) & open & ~waiting).cumsum(1) > 0
        return x_s.masked_fill(over & open, self.end), (open, inner)
