"""What must not be written: no END where more text follows, and never what is no text at all.

A model of text may think that a text ends inside a blank; what was given behind the blank would then be lost.
The barred tokens get no probability, and the others share theirs. In some places only some tokens fit: where
the space before a word was left to the word, it must begin with one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser
from unfog.denoise.categorical import CategoricalPosterior


class Barred(Denoiser[Any, CategoricalPosterior]):
    """A denoiser of text that never names some tokens.

    Args:
        denoiser: the denoiser to wrap.
        tokens: which; at least one other must be left.
        where: at which places, (B, L), bool; everywhere when left out.
    """

    def __init__(
        self,
        denoiser: Denoiser[Any, CategoricalPosterior],
        tokens: Sequence[int],
        where: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.inner, self.process, self.where = denoiser, denoiser.process, where
        self.tokens = torch.as_tensor(tokens)

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> CategoricalPosterior:
        """See ``Denoiser.forward``."""
        posterior: CategoricalPosterior = self.inner(x_t, t, cond)
        rows, tokens = posterior.rows, self.tokens.to(posterior.rows.device)
        barred = rows.index_fill(1, tokens, -torch.inf).log_softmax(1)
        if self.where is not None:
            times = len(x_t) // len(self.where)  # 2 where a guide asks two questions in one batch
            here = self.where.repeat(times, 1).to(x_t.device)[posterior.open]
            barred = torch.where(here[:, None], barred, rows)
        return posterior.with_rows(barred)
