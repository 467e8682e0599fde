"""Adaptive projected guidance: drop the part of guidance that only glares.

Sadat et al. 2024, arXiv 2410.02416.

The difference that a condition makes has a part along the asked estimate, which does little but raise its
contrast, and a part across it, which changes what is drawn. Strong guidance saturates through the first and
pleases through the second. So the first is turned down, long differences are cut, and, with momentum, what
repeats from step to step is damped. All of it is done on the clean estimate, as in the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unfog.denoise.base import GaussianPosterior
from unfog.shapes import expand_like


class Projected:
    """A ``Rule`` for ``ClassifierFree``; with parallel 1, no limit and no momentum it is ``plain``.

    Momentum is off by default: it counts calls, and so makes an estimate depend on how often the sampler
    looked before, which samplers of second order do twice at one level. Where it is on, each example has its
    own memory, which is empty at the start and again whenever its noise rises (a new walk, a restart, a
    step tried again). Use one object for each walk.

    Args:
        parallel: factor on the part along the asked estimate, the paper's eta; 0 drops it, 1 keeps it.
        limit: longest difference, the paper's r, as a root mean square over the values of x, so that it does
            not depend on the size of pictures.
        momentum: the paper's beta, in (-1, 1); negative values damp.
    """

    def __init__(self, parallel: float = 0.0, limit: float = float("inf"), momentum: float = 0.0) -> None:
        self.parallel, self.limit, self.momentum = parallel, limit, momentum
        self._memory: tuple[Tensor, Tensor] | None = None

    def __call__(
        self, asked: GaussianPosterior, other: GaussianPosterior, scale: float, t: Tensor, active: Tensor
    ) -> GaussianPosterior:
        """See ``Rule``."""
        update = asked.mean - other.mean
        if self.momentum:
            update = self._carried(update, t, active)
        size = _per_example(update.square(), like=update).sqrt()
        update = update * (self.limit / size.clamp_min(1e-12)).clamp_max(1.0)
        length = _per_example(asked.mean.square(), like=update).clamp_min(1e-12)
        along = _per_example(update * asked.mean, like=update) / length * asked.mean
        return asked.with_mean(asked.mean + (scale - 1) * (update - (1 - self.parallel) * along))

    def _carried(self, update: Tensor, t: Tensor, active: Tensor) -> Tensor:
        """The difference plus ``momentum`` times what was carried so far, each example by itself."""
        times, used = t.expand(len(update)), active.expand(len(update))
        if self._memory is None or self._memory[0].shape != update.shape:
            self._memory = torch.zeros_like(update), torch.full_like(times, torch.inf)
        carried, last = self._memory
        risen = expand_like((times > last).to(update.device), update)
        carried = torch.where(risen, 0, carried)
        mixed = update + self.momentum * carried
        taken = expand_like(used.to(update.device), update)
        kept = torch.where(taken, mixed, carried).detach()
        self._memory = kept, torch.where(used.to(times.device), times, last)
        return mixed


def _per_example(values: Tensor, like: Tensor) -> Tensor:
    """The mean over each example, broadcastable to it."""
    return expand_like(values.flatten(1).mean(1), like)
