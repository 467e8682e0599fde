"""Uniform diffusion: at t each token has been exchanged, with probability 1 - alpha(t), for any of the K.

It may be exchanged for itself (Austin et al. 2021, arXiv 2107.03006; Schiff et al. 2024, arXiv 2412.10193;
Sahoo et al. 2025, arXiv 2506.10892). No token tells that it is wrong, so every token can be changed again
on the way back: mistakes can be mended. Here the vocabulary has no MASK.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unfog.process.base import check_times
from unfog.process.discrete import DiscreteProcess, check_tokens
from unfog.rng import Noise


@dataclass(frozen=True)
class UniformProcess(DiscreteProcess):
    """Exchanges tokens for any others; all K are tokens of the data."""

    def corrupt(self, x: Tensor, t: Tensor, rng: Noise) -> Tensor:
        """Draw x_t given clean tokens (B, L); see ``Process.corrupt``."""
        check_times(t)
        check_tokens(x, self.vocabulary)
        kept = rng.uniform(x.shape).to(x.device) < self.share(t, like=x)
        return x.where(kept, self.prior(x.shape, rng).to(x.device))

    def prior(self, shape: Sequence[int], rng: Noise, t: float | Tensor = 1.0) -> Tensor:
        """Tokens drawn evenly from the vocabulary, (B, L), int64, whatever t."""
        # in float32, almost 1 times K is K
        return (rng.uniform(shape).double() * self.vocabulary).long()

    def log_odds(self, t: float | Tensor) -> Tensor:
        """By how much a token's own observation speaks for it: log q(x_t = j | x = j) / q(x_t = j | x != j).

        That is log(1 + K alpha / (1 - alpha)), float64, shape of t; infinite at t = 0.
        """
        alpha = self.share(t)
        return torch.log1p(self.vocabulary * alpha / (1 - alpha))
