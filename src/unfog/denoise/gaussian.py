"""A network behind its preconditioning: any network, any schedule, any target, one formula."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser, GaussianPosterior
from unfog.denoise.target import Target, v
from unfog.process.gaussian import GaussianProcess

CLOCK_LIMIT = 10.0  # of |l|: beyond it noise or signal drown in float32; l is infinite at t = 0 and 1


class GaussianDenoiser(Denoiser):
    """Turns any network into E[x | x_t], whatever quantity the network predicts.

    The network sees an input of unit variance (when the data has it) and the clock l = log(alpha / sigma),
    never t: so it does not know which schedule it is used with, and can be moved to another.

    Args:
        network: called as ``network(x, clock, **slots)`` with x (B, *S) and clock (B,); returns (B, *S).
        process: how data is corrupted.
        target: what the network's output means.
    """

    def __init__(self, network: nn.Module, process: GaussianProcess, target: Target = v) -> None:
        super().__init__()
        self.network, self.process, self.target = network, process, target

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        """See ``Denoiser.forward``."""
        alpha, sigma = self.process.scales(t, like=x_t)
        a, b = self.target(self.process, t, x_t)
        clock = self.process.log_ratio(t).clamp(-CLOCK_LIMIT, CLOCK_LIMIT)
        scale = torch.rsqrt(alpha**2 + sigma**2)
        output = self.network(scale * x_t, clock.to(x_t).expand(x_t.shape[0]), **cond.slots())
        mean = (b * x_t - sigma * output) / (alpha * b - sigma * a)
        return GaussianPosterior(mean, x_t, alpha, sigma)
