"""What a training step of text minimises: how surprised the network is by the tokens that were lost.

A row loses tokens until a time t, and the loss is the cross-entropy of what was lost. Weighted by
-alpha' / (1 - alpha), which is 1/t where alpha is 1 - t, its mean over t is the bound of the likelihood
(Sahoo et al. 2024, arXiv 2406.07524); every weight has the same minimum, and the plain one, in which each
lost token counts the same, learns faster (arXiv 2602.15014). Evaluation always uses the bound.

    plain    2             a token is lost half of the time: so the mean over t is that of all tokens
    bound    -alpha' / (1 - alpha)

Only lost tokens are named: naming is the dearest part of a step, and at half of the places it would be idle.
Of a pair, the source is never lost. A network with blocks sees [lost ; clean], each block with its own t.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unfog.condition import NONE
from unfog.model.text import TextModel
from unfog.process.masked import MaskedProcess
from unfog.rng import Noise, stratified
from unfog.train.config import TextTrainConfig
from unfog.train.objective import Batch, Objective, hidden

EARLIEST = 1e-3  # below it almost nothing is lost, and the weight of the bound grows without end


class UnmaskingObjective(Objective):
    """The loss of text.

    Args:
        model: whose denoiser and encoder are trained.
        config: weight, and how often a pair is learned whole.
    """

    def __init__(self, model: TextModel, config: TextTrainConfig) -> None:
        super().__init__()
        self.denoiser, self.encoder, self.config = model.denoiser, model.encoder, config
        self.block = int(model.spec.network.get("block", 0))

    def draw(self, batch: Batch, rng: Noise, *, hide: float = 0.0) -> Batch:
        """Clean and corrupted tokens, what counts, and labels.

        Args:
            batch: tokens (B, L), how many at the start are given (B,), labels (B,) or None.
            rng: of the step.
            hide: share of labels to hide; validation hides none, and learns no pair whole.

        Returns:
            clean (B, L), corrupted (B, L), weights of the loss (B, L), times (B, 1), or (B, L) with blocks,
            labels.
        """
        x, given, labels = batch
        assert x is not None and given is not None
        x, process = x.long(), self.denoiser.process
        t = self._times(x, rng)
        joint = (rng.uniform((len(x),)) < self.config.joint) & bool(hide)
        open = torch.arange(x.shape[1]) >= given.where(~joint, 0)[:, None]
        corrupted = torch.where(open, process.corrupt(x, t, rng), x)
        lost = open & (corrupted == process.mask if isinstance(process, MaskedProcess) else open)
        weight = self._weight(t).expand(x.shape) / open.sum(1, keepdim=True).clamp_min(1)
        return x, corrupted, torch.where(lost, weight.float(), 0.0), t, hidden(labels, hide, rng)

    def forward(self, *drawn: Tensor | None) -> Tensor:
        """Weighted cross-entropy for each token that could be lost, nats, (B,)."""
        x, corrupted, weight, t, labels = drawn
        assert x is not None and corrupted is not None and weight is not None and t is not None
        cond = NONE if self.encoder is None or labels is None else self.encoder(labels)
        lost = weight > 0
        if self.block:  # [lost ; clean] in one pass, which is no posterior of one x_t
            network: Any = self.denoiser.network
            seen = network.hidden_beside(corrupted, x, **cond.slots())[lost]
            rows = network.logits_of(seen)[:, : self.denoiser.process.vocabulary - 1].log_softmax(1)
        else:
            posterior = self.denoiser(corrupted, t[:, 0], cond)
            rows = posterior.rows[lost[posterior.open]]
        each: Tensor = -rows.gather(1, x[lost][:, None])[:, 0] * weight[lost]
        return each.new_zeros(len(x)).index_add(0, lost.nonzero()[:, 0], each)

    def _times(self, x: Tensor, rng: Noise) -> Tensor:
        """Times (B, 1), or with blocks (B, L), one for each block."""
        batch, length = x.shape
        count = -(-length // self.block) if self.block else 1
        t = EARLIEST + (1 - EARLIEST) * stratified(batch * count, rng).double().view(batch, count)
        return t.repeat_interleave(self.block, 1)[:, :length] if self.block else t

    def _weight(self, t: Tensor) -> Tensor:
        if self.config.weight == "plain":
            return torch.full_like(t, 2.0)
        keep = self.denoiser.process.keep
        return -keep.alpha_rate(t) / (1 - keep.alpha(t))
