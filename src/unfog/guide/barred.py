"""What must not be written: no END where more text follows, and never what is no text at all.

A model of text may think that a text ends inside a blank; what was given behind the blank would then be lost.
The barred tokens get no probability, and the others share theirs.
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
    """

    def __init__(self, denoiser: Denoiser[Any, CategoricalPosterior], tokens: Sequence[int]) -> None:
        super().__init__()
        self.inner, self.process, self.tokens = denoiser, denoiser.process, list(tokens)

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> CategoricalPosterior:
        """See ``Denoiser.forward``."""
        posterior: CategoricalPosterior = self.inner(x_t, t, cond)
        rows = posterior.rows.clone()
        rows[:, self.tokens] = -torch.inf
        return posterior.with_rows(rows.log_softmax(1))
