"""A small classifier that learns the data's own labels: its last hidden layer is a feature space.

Its eyes are trained on what matters in this data, so its distances notice wrong strokes where raw pixels
notice only ink. It sees the training pictures alone; how good it is on others is measured and told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.errors import DataError
from unfog.evaluate.figure import Figure, share
from unfog.evaluate.pictures import Labels, Pictures, batches, small

WIDTH = 64
"""Features of the last hidden layer."""

BATCH = 64
PASSES, LEAST_SEEN = 40, 60_000
RATE, DECAY = 6e-3, 0.05
CHECKS = 12
MOST = 20_000
"""Pictures the classifier learns from at most, drawn at random."""


class SmallNet(nn.Module):
    """Three convolutions and two linear layers, about 130 thousand weights.

    Args:
        channels: 1 or 3.
        classes: K, at least 2.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_stage(nn.Conv2d(channels, 32, 4, stride=2, padding=1, bias=False)),
            *_stage(nn.Conv2d(32, 64, 3, padding=1, bias=False)),
            nn.MaxPool2d(2),
            *_stage(nn.Conv2d(64, 96, 3, padding=1, bias=False)),
            nn.AdaptiveAvgPool2d(3),
            nn.Flatten(),
            nn.Linear(96 * 9, WIDTH),
            nn.ReLU(),
        )
        self.head = nn.Linear(WIDTH, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, 64) of pictures (B, C, h, w) in -1..1."""
        # below 16 pixels the strides would leave nothing to look at
        scale = math.ceil(16 / min(x.shape[2:]))
        x = F.interpolate(x, scale_factor=scale, mode="nearest") if scale > 1 else x
        features: Tensor = self.body(x.contiguous(memory_format=torch.channels_last))
        return features


def _stage(convolution: nn.Conv2d) -> tuple[nn.Module, ...]:
    return convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU()


@dataclass(frozen=True, eq=False)
class ClassifierSpace:
    """The features and the opinion of a trained ``SmallNet``.

    Attributes:
        net: the network, in evaluation mode.
        channels: 1 or 3.
        classes: K, how many classes it knows.
        accuracy: share it names rightly of the pictures that its training set aside.
        learned_from: pictures its weights were fitted to.
    """

    net: SmallNet
    channels: int
    classes: int
    accuracy: Figure
    learned_from: int
    name: str = "classifier"

    def describe(self) -> str:
        """What this space is, in one sentence."""
        known = "" if self.accuracy.value is None else f", {self.accuracy.value:.1%} right on others"
        return (
            f"a small classifier trained on this data's {self.classes} classes"
            f" ({self.learned_from:,} training pictures{known}; {WIDTH} features)"
        )

    def features(self, images: Pictures, batch: int = 256) -> NDArray[np.float64]:
        """float64 (N, 64) for uint8 pictures (N, H, W, C)."""
        return self.judge(images, batch)[0]

    def probabilities(self, images: Pictures, batch: int = 256) -> NDArray[np.float64]:
        """Probability of each class, float64 (N, K), rows sum to 1."""
        return self.judge(images, batch)[1]

    @torch.inference_mode()
    def judge(self, images: Pictures, batch: int = 256) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Features (N, 64) and probabilities (N, K) in one pass."""
        features = np.empty((len(images), WIDTH))
        chances = np.empty((len(images), self.classes))
        start = 0
        for part in batches(images, batch):
            hidden = self.net(small(part))
            features[start : start + len(part)] = hidden.numpy()
            chances[start : start + len(part)] = self.net.head(hidden).double().softmax(1).numpy()
            start += len(part)
        return features, chances


def train_classifier(
    images: Pictures,
    labels: Labels,
    classes: int,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> ClassifierSpace:
    """Train a classifier, keeping the weights that were best on a part set aside.

    A tenth of each class is set aside (none of a class with fewer than four pictures). Of more than 20,000
    pictures a random 20,000 are used. Pictures are slightly shifted, turned and scaled, never flipped: a
    mirrored 2 is not a 2.

    Args:
        images: uint8 (N, H, W, C) of any size; the training part alone.
        labels: int64 (N,), 0..K-1; pictures labelled -1 are not used.
        classes: K.
        seed: of everything random.
        progress: called with (done, total) steps.

    Raises:
        DataError: fewer than two classes have pictures.
    """
    known = np.flatnonzero(labels >= 0)
    known = known[np.random.default_rng(seed).permutation(len(known))[:MOST]]
    if len(np.unique(labels[known])) < 2:
        raise DataError("A classifier needs labelled pictures of at least two classes; this data has fewer.")
    fit, aside = set_aside(labels[known], seed)
    order = np.sort(known)  # ascending: a memory map is then read front to back
    x, y = small_all(images, order), torch.from_numpy(labels[order])
    place = np.searchsorted(order, known)
    fit, aside = place[fit], place[aside]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = SmallNet(images.shape[3], classes)
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        _fit(net, x[fit], y[fit], x[aside], y[aside], seed, progress)
    net.eval().requires_grad_(False)
    few = Figure.missing("no class has enough pictures to set some aside")
    accuracy = share(_right(net, x[aside], y[aside])) if len(aside) else few
    return ClassifierSpace(net, images.shape[3], classes, accuracy, len(fit))


def small_all(images: Pictures, indices: Labels, batch: int = 1024) -> Tensor:
    """The chosen pictures made small, float32 (n, C, h, w) in -1..1, reading one batch at a time."""
    return torch.cat([small(images[part]) for part in np.array_split(indices, -(-len(indices) // batch))])


def set_aside(labels: Labels, seed: int) -> tuple[Labels, Labels]:
    """Split indices into those to learn from and a tenth of each class to check with.

    Args:
        labels: (N,).
        seed: of the draw.

    Returns:
        ``(fit, aside)``, indices into ``labels``; a class with fewer than four pictures is all in ``fit``.
    """
    order = np.random.default_rng([seed, 1]).permutation(len(labels))
    aside: list[int] = []
    for label in np.unique(labels):
        members = order[labels[order] == label]
        aside += members[: max(1, len(members) // 10)].tolist() if len(members) >= 4 else []
    chosen = np.zeros(len(labels), np.bool_)
    chosen[aside] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def _fit(
    net: SmallNet,
    x: Tensor,
    y: Tensor,
    x_aside: Tensor,
    y_aside: Tensor,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    batch = min(BATCH, len(x))
    steps = -(-min(PASSES * len(x), LEAST_SEEN) // batch)
    every = max(1, steps // CHECKS)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.2)
    best = math.inf
    kept: dict[str, Tensor] = {}
    rng = torch.Generator().manual_seed(seed)
    for step, chosen in enumerate(_draw(len(x), batch, steps, rng), 1):
        net.train()
        loss = F.cross_entropy(net.head(net(jitter(x[chosen], rng))), y[chosen])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        rates.step()
        if progress:
            progress(step, steps)
        # never stopped early: the rate falls to the very end, and the best weights mostly come with it
        due = len(x_aside) and (step % every == 0 or step == steps)
        if due and (loss_aside := _loss(net, x_aside, y_aside)) < best:
            best = loss_aside
            kept = {key: value.clone() for key, value in net.state_dict().items()}
    if kept:
        net.load_state_dict(kept)


def _draw(count: int, batch: int, steps: int, rng: torch.Generator) -> Iterator[Tensor]:
    pool = torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        while len(pool) < batch:
            pool = torch.cat([pool, torch.randperm(count, generator=rng)])
        yield pool[:batch]
        pool = pool[batch:]


def jitter(x: Tensor, rng: torch.Generator) -> Tensor:
    """Shift (up to 7 %), turn (10 degrees) and scale (10 %) each of (B, C, h, w) pictures at random."""

    def between(size: float, *shape: int) -> Tensor:
        return (torch.rand(len(x), *shape, generator=rng) * 2 - 1) * size

    angle, scale, shift = between(math.radians(10)), 1 + between(0.1), between(0.14, 2)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = torch.stack([cos, -sin, shift[:, 0], sin, cos, shift[:, 1]], 1)
    grid = F.affine_grid(rows.view(-1, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


@torch.inference_mode()
def _logits(net: SmallNet, x: Tensor) -> Tensor:
    net.eval()
    return torch.cat([net.head(net(part)) for part in torch.split(x, 256)])


def _loss(net: SmallNet, x: Tensor, y: Tensor) -> float:
    return float(F.cross_entropy(_logits(net, x), y))


def _right(net: SmallNet, x: Tensor, y: Tensor) -> NDArray[np.bool_]:
    return np.asarray((_logits(net, x).argmax(1) == y).numpy(), np.bool_)
