"""What a training step of text minimises: how surprised the network is by the tokens that were lost.

A row loses tokens until a time t, and the loss is the cross-entropy of what was lost. Weighted by
-alpha' / (1 - alpha), which is 1/t where alpha is 1 - t, its mean over t is the bound of the likelihood
(Sahoo et al. 2024, arXiv 2406.07524); every weight has the same minimum, and the plain one, in which each
lost token counts the same, learns faster (arXiv 2602.15014). Evaluation always uses the bound.

    plain    2             a token is lost half of the time: so the mean over t is that of all tokens;
             1             for uniform noise, where any token may have been exchanged and all are asked for
    bound    -alpha' / (1 - alpha)

Only lost tokens are named: naming is the dearest part of a step, and at half of the places it would be idle.
Of a pair, the target is lost. It is short, and its source, which is most of the work, does not see it; so
several noisy versions of the target are learned from each reading of the source. They come in twos: one has
lost what the other has kept, so that no token is left out (Li et al. 2025, arXiv 2505.16839). A network that
only ever names few tokens is slow to learn to look at the source; so in half of the pairs some of the source
is hidden as well, and learned beside the target. Nothing is computed for the empty beginning of a pair's row:
rows are sorted by what they need.

A network with blocks sees [lost ; clean], each block with its own t, and learns at every place to go on from
all that stands before, which a text that is lost at random seldom shows. Of a pair it learns the source in
the same go, weighing as much as the target: most of the language stands there. Blocks take twice as long. One
that reads both ways learns to read whole first, and blocks as well while the learning rate falls: what it
knows of language serves both.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unfog.condition import NONE
from unfog.model.blocks import Blockwise
from unfog.model.canvas import rounded
from unfog.model.text import TextModel
from unfog.nets.text import TextTransformer
from unfog.process.masked import MaskedProcess
from unfog.rng import Noise, stratified
from unfog.train.config import TextTrainConfig
from unfog.train.objective import Batch, Objective, hidden

SLICE = 2048  # tokens whose traces still fit a processor's caches, more or less: larger slices are slower
WAYS = PAIR, WHOLE, BLOCKS = range(3)  # how a row is read
EARLIEST = 1e-3  # below it almost nothing is lost, and the weight of the bound grows without end


class Copies(nn.Module):
    """A network that sees several versions of a target behind one source; for a denoiser."""

    def __init__(self, network: TextTransformer, room: int, copies: int) -> None:
        super().__init__()
        self.network, self.room, self.copies = network, room, copies

    def hidden(self, tokens: Tensor, vector: Tensor | None = None) -> Tensor:
        """See ``TextTransformer.hidden_copies``."""
        return self.network.hidden_copies(tokens, self.room, self.copies, vector)

    def logits_of(self, hidden: Tensor) -> Tensor:
        """See ``TextTransformer.logits_of``."""
        return self.network.logits_of(hidden)


class UnmaskingObjective(Objective):
    """The loss of text.

    Args:
        model: whose denoiser and encoder are trained.
        config: weight, and how pairs are learned.
    """

    def __init__(self, model: TextModel, config: TextTrainConfig) -> None:
        super().__init__()
        self.denoiser, self.encoder, self.config = model.denoiser, model.encoder, config
        self.block, self.context = model.block, model.spec.context
        self.whole = 1.0 if not model.block else config.whole if model.whole else 0.0
        self.late_cost = 2 - self.whole if self.whole else 1.0
        # 1 where a source sees its target, and has to be read anew for each version of it
        self.copies = 1 if model.gap is None else config.copies
        self.room, self.codec, self.at_once = model.spec.room, model.codec, max(1, SLICE // self.context)

    def draw(self, batch: Batch, rng: Noise, *, hide: float | None = None) -> Batch:
        """Clean and corrupted tokens, what counts, and labels.

        Rows have W = L + (versions - 1) * room tokens: behind a pair stand further versions of its target.

        Args:
            batch: tokens (B, L), where each row's text begins, and where it begins and ends to be learned
                (B, 3), labels (B,) or None.
            rng: of the step.
            hide: share of labels to hide; None in validation, which hides none, and looks at all pairs as
                pairs.

        Returns:
            clean (B, W), corrupted (B, W), weights of the loss (B, W), times (B, versions), or (B, L) with
            blocks, labels, tokens of each row's text (B,), in rising order, and how each row is read, (B,):
            as a PAIR, WHOLE or by BLOCKS.
        """
        x, learned, labels = batch
        assert x is not None and learned is not None
        joint = (rng.uniform((len(x),)) < self.config.joint) & (hide is not None)
        x, learned, pair = self._alone(x.long(), learned.long(), joint)
        needed = learned[:, 2] - learned[:, 0]
        way = torch.where(pair, PAIR, WHOLE)
        if self.whole < 1 and (self.late or hide is None or not self.whole):
            way = torch.where(stratified(len(x), rng) < self.whole, way, BLOCKS)
        order = (len(WAYS) * needed + way).argsort(stable=True)  # rows that are read together side by side
        x, learned, needed, way = x[order], learned[order], needed[order], way[order]
        labels = None if labels is None else labels[order]
        more = x[:, self.context - self.room :].repeat(1, self.copies - 1)
        places = torch.arange(self.context)
        open = (places >= learned[:, 1:2]) & (places < learned[:, 2:])
        twin = (way == PAIR)[:, None].expand_as(more)
        x, open = torch.cat([x, more], 1), torch.cat([open, twin], 1)
        source = (places >= learned[:, :1]) & (places < learned[:, 1:2] - 1)
        source = nn.functional.pad(source, (0, more.shape[1])) & (hide is not None and self.config.beside > 0)
        # block after block, as all of a text is; what its target's first block holds of the source is shown
        read = source & (way == BLOCKS)[:, None] & (torch.arange(x.shape[1]) < learned[:, 1:2] - self.block)
        t, corrupted = self._corrupt(x, open | read, way, rng)
        mask = self.codec.mask if self.masked else None
        lost = open | read if mask is None else (open | read) & (corrupted == mask)
        weight = self._spread(self._weight(t), x.shape[1]) * (evenly(open) + evenly(read))
        weight = torch.where(lost, weight.float(), 0.0)
        if hide is not None and self.config.beside and mask is not None:
            gone = self._beside(source & (way != BLOCKS)[:, None], rng)
            corrupted = torch.where(gone, mask, corrupted)
            weight = weight + evenly(gone)
        return x, corrupted, weight, t, hidden(labels, hide or 0.0, rng), needed, way

    def forward(self, *drawn: Tensor | None) -> Tensor:
        """Weighted cross-entropy for each token that could be lost, nats, (B,)."""
        x, corrupted, weight, t, labels, needed, way = drawn
        assert x is not None and corrupted is not None and weight is not None
        assert t is not None and needed is not None and way is not None
        each = weight.new_zeros(len(x))
        for read in sorted(set(way.tolist())):
            chosen, copies = way == read, self.copies if read == PAIR else 1
            first = self.context - rounded(int(needed[chosen].max()), self.context)
            columns = slice(first, self.context + (copies - 1) * self.room)
            rows = tuple(part[chosen, columns] for part in (x, corrupted, weight))
            told = None if labels is None else labels[chosen]
            each = each.index_put((chosen,), self._cost(rows, t[chosen], told, read))
        return each

    def _cost(self, drawn: tuple[Tensor, ...], t: Tensor, labels: Tensor | None, way: int) -> Tensor:
        """The loss, (B,), of rows that are all read in one way: of clean and corrupted tokens and weights."""
        x, corrupted, weight = drawn
        cond = NONE if self.encoder is None or labels is None else self.encoder(labels)
        lost, network = weight > 0, self.denoiser.network
        assert isinstance(network, TextTransformer)
        denoiser = self.denoiser
        if way == BLOCKS:
            denoiser = denoiser.onto(Blockwise(network, x))
        elif way == PAIR and self.copies > 1:
            denoiser = denoiser.onto(Copies(network, self.room, self.copies))
        posterior = denoiser(corrupted, t[:, 0], cond)
        rows = posterior.rows[lost[posterior.open]]
        each: Tensor = -rows.gather(1, x[lost][:, None])[:, 0] * weight[lost]
        return each.new_zeros(len(x)).index_add(0, lost.nonzero()[:, 0], each)

    def _alone(self, x: Tensor, learned: Tensor, joint: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Some pairs turned into their text alone, laid out as documents are, all of which is learned.

        Returns:
            Tokens, what is learned of them, and which still are pairs.
        """
        places, length, (first, start) = torch.arange(x.shape[1]), x.shape[1], learned[:, :2, None].unbind(1)
        pair = x.gather(1, (start - 1).clamp_min(0)) == self.codec.gap
        alone = pair & joint[:, None]
        text = x.gather(1, (places + first - 1).clamp(0, length - 1))
        text = torch.where((places > 0) & (places < start - first), text, self.codec.end)
        whole = torch.tensor([0, 1, length], dtype=learned.dtype).expand_as(learned)
        x, learned = torch.where(alone, text, x), torch.where(alone, whole, learned)
        return x, learned, (pair & ~alone)[:, 0]

    def _corrupt(self, x: Tensor, open: Tensor, way: Tensor, rng: Noise) -> tuple[Tensor, Tensor]:
        """Times, and the tokens with some of the ``open`` ones lost; ``way`` is how each row is read."""
        batch, process = len(x), self.denoiser.process
        count = -(-self.context // self.block) if self.block else -(-self.copies // 2)
        # uniform noise is told its time, and all versions of a row are looked at in one go
        count = count if self.masked else 1
        t = _times(batch, count, rng)
        if self.block:
            t = t.repeat_interleave(self.block, 1)[:, : self.context]
            if self.whole:
                t = torch.where((way == BLOCKS)[:, None], t, _times(batch, 1, rng))
        if self.copies == 1 or not self.masked:
            return t, torch.where(open, process.corrupt(x, self._spread(t, x.shape[1]), rng), x)
        t = torch.stack([t, process.keep.time(1 - process.keep.alpha(t))], 2).flatten(1)[:, : self.copies]
        corrupted = torch.where(open, process.corrupt(x, self._spread(t, x.shape[1]), rng), x)
        begin, room, mask = self.context - self.room, self.room, self.codec.mask
        for at in range(begin + room, x.shape[1], 2 * room):  # every second version: what the one before kept
            part, kept = slice(at, at + room), corrupted[:, at - room : at] != mask
            corrupted[:, part] = torch.where(kept & open[:, part], mask, x[:, part])
        return t, corrupted

    def _spread(self, t: Tensor, width: int) -> Tensor:
        """Something of each version, (B, versions), for each of its tokens and all before, (B, ``width``)."""
        if t.shape[1] in (1, width):
            return t.expand(-1, width)
        front = t[:, :1].expand(-1, self.context - self.room)
        return torch.cat([front, t.repeat_interleave(self.room, 1)], 1)

    def _beside(self, source: Tensor, rng: Noise) -> Tensor:
        """Which tokens of the sources, (B, W), are hidden too: none in every other pair, by lot."""
        share = 4 * self.config.beside * rng.uniform((len(source), 1))
        share = torch.where(rng.uniform((len(source), 1)) < 0.5, share.clamp_max(1.0), 0.0)
        return source & (rng.uniform(tuple(source.shape)) < share)

    def _weight(self, t: Tensor) -> Tensor:
        if self.config.weight == "plain":
            return torch.full_like(t, 2.0 if self.masked else 1.0)
        keep = self.denoiser.process.keep
        return -keep.alpha_rate(t) / (1 - keep.alpha(t))

    @property
    def masked(self) -> bool:
        """Whether tokens are hidden, and not exchanged."""
        return isinstance(self.denoiser.process, MaskedProcess)


def evenly(chosen: Tensor) -> Tensor:
    """Weights of the chosen places (B, W), bool, that sum up to 1 in each row with any."""
    return chosen / chosen.sum(1, keepdim=True).clamp_min(1)


def _times(batch: int, count: int, rng: Noise) -> Tensor:
    """Times, (batch, count), spread evenly over all of them."""
    return EARLIEST + (1 - 2 * EARLIEST) * stratified(batch * count, rng).double().view(batch, count)
