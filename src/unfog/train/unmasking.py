"""What a training step of text minimises: how surprised the network is by the tokens that were lost.

A row loses tokens until a time t, and the loss is the cross-entropy of what was lost. Weighted by
-alpha' / (1 - alpha), which is 1/t where alpha is 1 - t, its mean over t is the bound of the likelihood
(Sahoo et al. 2024, arXiv 2406.07524); every weight has the same minimum, and the plain one, in which each
lost token counts the same, learns faster (arXiv 2602.15014). Evaluation always uses the bound.

    plain    2             a token is lost half of the time: so the mean over t is that of all tokens;
             1             for uniform noise, where any token may have been exchanged and all are asked for
    bound    -alpha' / (1 - alpha)

Only lost tokens are named: naming is the dearest part of a step, and at half of the places it would be idle.
Of a pair, the target is lost, and nothing is computed for the empty rest of its row: rows are sorted by what
they need. A target is short, and a network that only ever names its few tokens is slow to learn to look at
the source; so in half of the pairs some of the source is hidden as well, and learned beside the target. A
network with blocks sees [lost ; clean], each block with its own t.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unfog.condition import NONE
from unfog.model.canvas import rounded
from unfog.model.text import TextModel
from unfog.process.masked import MaskedProcess
from unfog.rng import Noise, stratified
from unfog.train.config import TextTrainConfig
from unfog.train.objective import Batch, Objective, hidden

SLICE = 2048  # tokens whose traces still fit a processor's caches, more or less: larger slices are slower
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
        self.codec, self.at_once = model.codec, max(1, SLICE // model.spec.context)

    def draw(self, batch: Batch, rng: Noise, *, hide: float | None = None) -> Batch:
        """Clean and corrupted tokens, what counts, and labels.

        Args:
            batch: tokens (B, L), where each row begins and ends to be learned (B, 2), labels (B,) or None.
            rng: of the step.
            hide: share of labels to hide; None in validation, which hides none, and looks at all pairs as
                pairs.

        Returns:
            clean (B, L), corrupted (B, L), weights of the loss (B, L), times (B, 1), or (B, L) with blocks,
            labels, and tokens of each row that matter (B,), in rising order.
        """
        x, learned, labels = batch
        assert x is not None and learned is not None
        joint = (rng.uniform((len(x),)) < self.config.joint) & (hide is not None)
        x, learned = self._alone(x.long(), learned, joint)
        order = learned[:, 1].argsort(stable=True)
        x, learned, labels = x[order], learned[order], None if labels is None else labels[order]
        t, process, places = self._times(x, rng), self.denoiser.process, torch.arange(x.shape[1])
        open = (places >= learned[:, :1]) & (places < learned[:, 1:])
        corrupted = torch.where(open, process.corrupt(x, t, rng), x)
        lost = open & (corrupted == process.mask if isinstance(process, MaskedProcess) else open)
        weight = self._weight(t).expand(x.shape) / open.sum(1, keepdim=True).clamp_min(1)
        weight = torch.where(lost, weight.float(), 0.0)
        if hide is not None and self.config.beside and not self.block and isinstance(process, MaskedProcess):
            gone = self._beside(places < learned[:, :1] - 1, rng)
            corrupted = torch.where(gone, process.mask, corrupted)
            weight = weight + gone / gone.sum(1, keepdim=True).clamp_min(1)
        return x, corrupted, weight, t, hidden(labels, hide or 0.0, rng), learned[:, 1]

    def forward(self, *drawn: Tensor | None) -> Tensor:
        """Weighted cross-entropy for each token that could be lost, nats, (B,)."""
        x, corrupted, weight, t, labels, needed = drawn
        assert x is not None and corrupted is not None and weight is not None
        assert t is not None and needed is not None
        length = rounded(int(needed.max()), x.shape[1])
        x, corrupted, weight = x[:, :length], corrupted[:, :length], weight[:, :length]
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

    def _alone(self, x: Tensor, learned: Tensor, joint: Tensor) -> tuple[Tensor, Tensor]:
        """Some pairs turned into their text alone, laid out as documents are, all of which is learned."""
        places, length, start = torch.arange(x.shape[1]), x.shape[1], learned[:, :1].long()
        pair = (x.gather(1, (start - 1).clamp_min(0)) == self.codec.gap) & joint[:, None]
        text = (places > 0) & (places < start)
        alone = torch.where(text, x.roll(1, 1), self.codec.end)
        whole = torch.tensor([1, length], dtype=learned.dtype).expand_as(learned)
        return torch.where(pair, alone, x), torch.where(pair, whole, learned)

    def _beside(self, source: Tensor, rng: Noise) -> Tensor:
        """Which tokens of the sources, (B, L), are hidden too: none in every other pair, by lot."""
        share = 4 * self.config.beside * rng.uniform((len(source), 1))
        share = torch.where(rng.uniform((len(source), 1)) < 0.5, share.clamp_max(1.0), 0.0)
        return source & (rng.uniform(tuple(source.shape)) < share)

    def _times(self, x: Tensor, rng: Noise) -> Tensor:
        """Times (B, 1), or with blocks (B, L), one for each block."""
        batch, length = x.shape
        count = -(-length // self.block) if self.block else 1
        t = EARLIEST + (1 - EARLIEST) * stratified(batch * count, rng).double().view(batch, count)
        return t.repeat_interleave(self.block, 1)[:, :length] if self.block else t

    def _weight(self, t: Tensor) -> Tensor:
        if self.config.weight == "plain":
            return torch.full_like(t, 2.0 if isinstance(self.denoiser.process, MaskedProcess) else 1.0)
        keep = self.denoiser.process.keep
        return -keep.alpha_rate(t) / (1 - keep.alpha(t))
