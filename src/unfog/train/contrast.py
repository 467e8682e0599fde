"""What a training step of a pair model minimises: how easily a caption finds its picture among the others.

In a batch every picture is asked which of all captions is its own, and every caption which of all pictures
(InfoNCE in both directions; Radford et al. 2021, arXiv 2103.00020): minus the log of the probability that a
softmax of the likenesses gives the right answer. A caption that is as true of another picture of the batch,
because that one has the same caption, is no wrong answer; it is left out of the question.

Few pictures would soon be known by heart. So each is seen anew every time: cut, and under another light; it
is never mirrored, as captions speak of left and right. And two views of one picture have to find each other
among those of other pictures (Mu et al. 2021, arXiv 2112.12750), so that an embedding also says what no
caption tells, such as colours: drawing from it needs that.

The prior learns in the same step, from embeddings through which no gradient passes: to guess the picture's
embedding from a noisy one and from that of the text (Ramesh et al. 2022, arXiv 2204.06125), or from nothing
where the text is hidden.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from unfog.condition import Condition, Words
from unfog.model.pairs import PairModel
from unfog.rng import Noise, stratified
from unfog.train.config import PairTrainConfig
from unfog.train.denoising import WEIGHTS, denoising_loss, draw_times, noise_law
from unfog.train.objective import Batch, Objective

SPREAD = 4.0  # of embeddings along the direction in which they differ most, about
LOOKS = 6  # numbers that decide how a picture is seen


class ContrastObjective(Objective):
    """The loss of a pair model; its batches are those of ``PairedCaptions``.

    Args:
        model: whose encoders and prior are trained.
        config: how pictures are seen anew, and what two views count.
    """

    def __init__(self, model: PairModel, config: PairTrainConfig) -> None:
        super().__init__()
        self.model, self.config = [model], config  # in a list, so that its parts have one name only
        self.gaze, self.encoder, self.prior = model.gaze, model.encoder, model.prior
        self.head, self.sharpness = model.head, model.sharpness

    def draw(self, batch: Batch, rng: Noise, *, hide: float | None = None) -> Batch:
        """Pictures (B, C, H, W), how each is seen (B, 2, 6), the prior's times, noise and gaps, and words."""
        raw, *told = batch
        assert raw is not None
        count = len(raw)
        looks = rng.uniform((count, 2, LOOKS))
        times = draw_times(self.prior.process, stratified(count, rng), *noise_law(SPREAD))
        noise = rng.normal((count, self.gaze.config.embedding))
        return raw, looks, times, noise, rng.uniform((count,)) < (hide or 0.0), *told

    def forward(self, *drawn: Tensor | None) -> Tensor:
        """See ``Objective.forward``; texts that say nothing are asked about nothing."""
        raw, looks, times, noise, hidden, number, own, *told = (part for part in drawn if part is not None)
        model, x = self.model[0], raw.to(noise.device).float() / 127.5 - 1
        words = Words.from_tensors(told)
        said, here = model.say(words), words.present.to(noise.device)
        if self.training:
            views = torch.cat([seen_anew(x, looks[:, k], self.config) for k in range(2)])
            one, two = self.gaze(views).chunk(2)
        else:
            one = two = self.gaze(x)
        scale = model.scale()
        loss = contrast(said, one, scale, as_true(number, own, here)) * here
        if self.training and self.config.views:
            alike = own[:, None, 0] == own[None, :, 0]
            loss = loss + self.config.views * contrast(two, one, scale, alike)
        return loss + self._prior_loss(said.detach() * (here & ~hidden)[:, None], one.detach(), times, noise)

    def _prior_loss(self, said: Tensor, seen: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        size = seen.shape[1] ** 0.5
        cond = Condition(vector=said * size)
        return denoising_loss(self.prior, seen * size, times, noise, WEIGHTS["data"], cond)


def contrast(ours: Tensor, theirs: Tensor, scale: Tensor | float, true: Tensor) -> Tensor:
    """InfoNCE in both directions, in nats for each pair, (B,).

    Args:
        ours, theirs: embeddings, (B, E); row i of one belongs to row i of the other.
        scale: what likenesses are multiplied by.
        true: which of theirs (second axis) are also right for each of ours, bool (B, B); they do not compete.
    """
    right = torch.arange(len(ours), device=ours.device)
    others = true & (right[:, None] != right)
    logits = (scale * ours @ theirs.T).masked_fill(others, -torch.inf)
    there = F.cross_entropy(logits, right, reduction="none")
    return (there + F.cross_entropy(logits.T, right, reduction="none")) / 2


def as_true(number: Tensor, own: Tensor, here: Tensor) -> Tensor:
    """Which pictures each caption of a batch is true of, or cannot be asked about, bool (B, B).

    Args:
        number: of each caption, equal for equal texts, (B,).
        own: numbers of all captions of each picture, (B, K), -1 in empty places.
        here: captions that say something, (B,); what is paired with others says nothing against anybody.
    """
    known: Tensor = (number[:, None, None] == own[None]).any(2)
    return known | ~here[:, None] | ~here[None]


def seen_anew(x: Tensor, looks: Tensor, config: PairTrainConfig) -> Tensor:
    """Pictures (B, C, H, W), cut and shaded by numbers from 0 to 1, (B, 6); same shape out.

    Two of them choose how much is cut off and how much of that on which side, one more the other axis; three
    choose how bright, how full of contrast, and how colourful.
    """
    side = 1 - (1 - config.crop**0.5) * looks[:, 0]
    shift = (1 - side)[:, None] * (2 * looks[:, 1:3] - 1)
    turn = torch.zeros(len(x), 2, 3, device=x.device)
    turn[:, 0, 0] = turn[:, 1, 1] = side
    turn[:, :, 2] = shift
    grid = F.affine_grid(turn, list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    bright, full, colourful = (config.shade * (2 * looks[:, k] - 1) for k in range(3, 6))
    grey, mean = x.mean(1, keepdim=True), x.mean((1, 2, 3), keepdim=True)
    x = grey + (x - grey) * (1 + colourful)[:, None, None, None]
    return mean + (x - mean) * (1 + full)[:, None, None, None] + bright[:, None, None, None]
