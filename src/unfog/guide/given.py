"""What is known stays: a prompt, the text around a blank, a source that is to be summarised.

Masked diffusion completes any pattern of known and unknown tokens without being told how: known tokens are
shown to the network, and to the sampler they are settled. No step can change them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser
from unfog.denoise.categorical import CategoricalPosterior
from unfog.errors import SampleError


class Given(Denoiser[Any, CategoricalPosterior]):
    """A denoiser of text that knows some tokens.

    A denoiser of uniform noise keeps them too, but cannot know that they are sure: it reads them as it reads
    all others, as tokens that may have been exchanged.

    Args:
        denoiser: the denoiser to wrap.
        tokens: (B, L), int64; read where they are known.
        where: which are known, (B, L), bool.

    Raises:
        SampleError: if the two are not of one shape.
    """

    def __init__(self, denoiser: Denoiser[Any, CategoricalPosterior], tokens: Tensor, where: Tensor) -> None:
        super().__init__()
        if tokens.shape != where.shape or where.dtype != torch.bool:
            raise SampleError(
                f"Tokens {tuple(tokens.shape)} and where they are known {tuple(where.shape)}, {where.dtype}: "
                "give one true or false for each token."
            )
        self.inner, self.process = denoiser, denoiser.process
        self.tokens, self.known = tokens, where

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> CategoricalPosterior:
        """See ``Denoiser.forward``: the known tokens are put back before the network looks."""
        x_t = self.put_back(x_t)
        times = len(x_t) // len(self.known)
        posterior: CategoricalPosterior = self.inner(x_t, t, cond)
        return posterior.close(x_t, self.known.repeat(times, 1).to(x_t.device))

    def put_back(self, x_t: Tensor) -> Tensor:
        """x_t with the known tokens in their places, (B, L); start a walk from here."""
        times = len(x_t) // len(self.known)  # 2 where a guide asks two questions in one batch
        tokens, known = (part.repeat(times, 1).to(x_t.device) for part in (self.tokens, self.known))
        return torch.where(known, tokens, x_t)
