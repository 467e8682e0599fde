"""Masked diffusion: at t each token is hidden with probability 1 - alpha(t), behind one and the same MASK.

Also called absorbing diffusion: what is hidden stays hidden (Austin et al. 2021, arXiv 2107.03006; Sahoo et
al. 2024, arXiv 2406.07524; Shi et al. 2024, arXiv 2406.04329). A visible token is the true one. So to go
back means only to name hidden tokens, and in which order is free: text need not be written from left to
right.
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
class MaskedProcess(DiscreteProcess):
    """Hides tokens. The last of the K is MASK, which no data holds."""

    @property
    def mask(self) -> int:
        """The token MASK, K - 1."""
        return self.vocabulary - 1

    def corrupt(self, x: Tensor, t: Tensor, rng: Noise) -> Tensor:
        """Draw x_t given clean tokens (B, L); see ``Process.corrupt``."""
        check_times(t)
        check_tokens(x, self.mask)
        kept = rng.uniform(x.shape).to(x.device) < self.share(t, like=x)
        return x.where(kept, self.mask)

    def prior(self, shape: Sequence[int], rng: Noise, t: float | Tensor = 1.0) -> Tensor:
        """Nothing but MASK, (B, L), int64; nothing is drawn, whatever t."""
        return torch.full(tuple(shape), self.mask)

    def reveal(self, t: float | Tensor, s: float | Tensor) -> float:
        """The probability that what is hidden at t shows at s < t, (alpha_s - alpha_t) / (1 - alpha_t)."""
        (kept_t, lost_t), (kept_s, _) = self.numbers(t), self.numbers(s)
        return (kept_s - kept_t) / lost_t if lost_t else 0.0
