"""Which examples a step sees: a function of seed and step alone, so that any step can be taken again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from unfog.data.buckets import Buckets
from unfog.rng import derive_seed


class Order:
    """Epoch after epoch in fresh random order, without replacement; a batch may span two epochs.

    Args:
        indices: of the examples to use.
        size: examples in a batch; may exceed their number.
        seed: of the order.
    """

    def __init__(self, indices: np.ndarray, size: int, seed: int) -> None:
        self.indices, self.size, self.seed = indices, size, seed
        self._epochs: dict[int, np.ndarray] = {}

    def __call__(self, step: int) -> np.ndarray:
        """The indices of the batch of step 0, 1, ..., (size,)."""
        count, first = len(self.indices), step * self.size
        epochs = range(first // count, (first + self.size - 1) // count + 1)
        self._epochs = {e: self._epochs[e] if e in self._epochs else self._shuffle(e) for e in epochs}
        line = np.concatenate([self._epochs[e] for e in epochs])
        start = first - epochs[0] * count
        return line[start : start + self.size]

    def _shuffle(self, epoch: int) -> np.ndarray:
        rng = np.random.default_rng(derive_seed(self.seed, "epoch", epoch))
        shuffled: np.ndarray = rng.permutation(self.indices)
        return shuffled


Told = Callable[[np.ndarray, int], tuple[Tensor | None, ...]]
"""What an encoder is told of some pictures, by number, in a step: tensors whose first axis is the picture."""


def telling(told: np.ndarray | Told | None) -> Told:
    """The same; class numbers (N,), -1 for unlabelled, are told as they are."""
    if callable(told):
        return told
    return lambda chosen, step: (None if told is None else torch.from_numpy(told[chosen]),)


class Batches:
    """Batches of pictures, or of their latents.

    Args:
        images: uint8 (N, H, W, C), or latents of any float; memory-mapped arrays are read batch by batch.
        told: what goes with each of them: class numbers, (N,), -1 for unlabelled; or see ``Told``; or None.
        indices: which of them to use.
        size: pictures in a batch; may exceed their number.
        seed: of the order.
        flip: mirror half of them left to right.
    """

    def __init__(
        self,
        images: np.ndarray,
        told: np.ndarray | Told | None,
        indices: np.ndarray,
        *,
        size: int,
        seed: int,
        flip: bool = False,
    ) -> None:
        self.images, self.told, self.flip = images, telling(told), flip
        self.order = Order(indices, size, seed)

    def __call__(self, step: int) -> tuple[Tensor | None, ...]:
        """The batch of step 0, 1, ...: pictures or latents (B, C, H, W), and what goes with them."""
        chosen, size = self.order(step), self.order.size
        # sorted reads are kinder to a disk; the order within a batch does not matter to its mean,
        # but noise is tied to places, so the result is put back in drawn order
        order = np.argsort(chosen, kind="stable")
        pictures = np.empty((size, *self.images.shape[1:]), self.images.dtype)
        pictures[order] = self.images[chosen[order]]
        x = torch.from_numpy(pictures).permute(0, 3, 1, 2)
        return mirrored(x, self.order.seed, step) if self.flip else x, *self.told(chosen, step)


class Bucketed:
    """Batches of pictures, or of their latents, at their own shapes, those of one batch alike.

    How many batches of an epoch a shape gets follows from how many pictures have it, and where that is no
    whole number, from a lot that is fair (systematic sampling): so every picture is seen once an epoch on
    average, however rare its shape. A shape of fewer pictures than a batch is drawn in few epochs.

    Args:
        buckets: the pictures.
        told: see ``Batches``.
        indices: which of them to use.
        size: pictures in a batch.
        seed: of the order.
        flip: mirror half of them left to right.
    """

    def __init__(
        self,
        buckets: Buckets,
        told: np.ndarray | Told | None,
        indices: np.ndarray,
        *,
        size: int,
        seed: int,
        flip: bool = False,
    ) -> None:
        self.buckets, self.told, self.flip = buckets, telling(told), flip
        self.size, self.seed = size, seed
        which = buckets.which[indices]
        self.members = [indices[which == shape] for shape in np.unique(which)]
        self.epoch: tuple[int, list[np.ndarray]] = (-1, [])
        self.steps = -(-len(indices) // size)

    def __call__(self, step: int) -> tuple[Tensor | None, ...]:
        """The batch of step 0, 1, ...: pictures (B, C, H, W), and what goes with them."""
        epoch, place = divmod(step, self.steps)
        if self.epoch[0] != epoch:
            self.epoch = epoch, self._cut(epoch)
        chosen = self.epoch[1][place]
        x = torch.from_numpy(self.buckets.pictures(chosen)).permute(0, 3, 1, 2)
        return mirrored(x, self.seed, step) if self.flip else x, *self.told(chosen, step)

    def _cut(self, epoch: int) -> list[np.ndarray]:
        """The batches of an epoch, in their order."""
        rng = np.random.default_rng(derive_seed(self.seed, "epoch", epoch))
        counts = np.array([len(members) for members in self.members])
        ends = np.cumsum(counts) / counts.sum() * self.steps
        ends[-1] = self.steps  # sums of fractions may fall short of it
        of = np.searchsorted(ends, np.arange(self.steps) + rng.random(), side="right")
        found = []
        for members, batches in zip(self.members, np.bincount(of, minlength=len(counts)), strict=True):
            whole = int(batches) * self.size
            line = [rng.permutation(members) for _ in range(-(-whole // len(members)))]
            found += np.split(np.concatenate(line)[:whole], batches) if whole else []
        return [found[i] for i in rng.permutation(len(found))]


def mirrored(x: Tensor, seed: int, step: int) -> Tensor:
    """Pictures (B, C, H, W) of a step, half of them mirrored left to right."""
    coin = np.random.default_rng(derive_seed(seed, "flip", step)).random(len(x)) < 0.5
    return torch.where(torch.from_numpy(coin)[:, None, None, None], x.flip(3), x)


def pictures_at(
    images: np.ndarray, told: np.ndarray | Told | None, indices: np.ndarray
) -> tuple[Tensor | None, ...]:
    """A batch of chosen pictures or latents, (N, C, H, W), and what goes with them."""
    x = torch.from_numpy(np.ascontiguousarray(images[indices])).permute(0, 3, 1, 2)
    return x, *telling(told)(indices, 0)
