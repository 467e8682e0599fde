"""Who explains: a trained network, or the exact denoiser of a handful of real pictures.

Both answer the same questions, so that everything on the page is computed and nothing is drawn by hand. A
schedule has no network; there the exact denoiser of some real pictures stands in, which is what a network
would become that learned those few by heart.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from unfog.codec import PictureCodec, PixelCodec, measure_pixels
from unfog.condition import NONE, Condition
from unfog.data import PictureStore, open_pictures
from unfog.denoise import Denoiser, ExactMixture, GaussianPosterior, exact_dataset
from unfog.errors import DataError
from unfog.model import PictureModel
from unfog.model.asked import Wish
from unfog.process import SCHEDULES, Chain, GaussianProcess
from unfog.recipes.assess import data_of, trained_on
from unfog.recipes.listen import Listener
from unfog.rng import Noise
from unfog.sample import GRIDS, SAMPLERS, Step, trajectory
from unfog.spec import Sampling

ASKED = 32  # pictures whose denoising error is measured; fewer where they are large
KNOWN = 200  # pictures that an exact denoiser holds
PLAIN_GRID = "karras"
SIDE = 28  # pixels of the pictures of an exact denoiser
NUMBERS_AT_ONCE = 12_000_000  # that an exact denoiser compares, which bounds memory


@dataclass(frozen=True)
class Shown:
    """The pictures that a page is about.

    Attributes:
        x: normalised, (N, C, H, W).
        cond: what steers the denoiser for each of them.
        origin: "drawn", "held_out" or "known".
        source: name of the data; empty if the model drew them.
        memory: the exact denoiser of the pictures to learn from; None where they are not at hand.
        unseen: pictures of the same kind that the exact denoiser does not hold; None for a model.
        other: whether the data is not what the model was trained on, by its content.
    """

    x: Tensor
    cond: Condition
    origin: str
    source: str
    memory: ExactMixture | None = None
    unseen: Tensor | None = None
    other: bool = False


class Subject(ABC):
    """What is explained.

    Attributes:
        denoiser: counted when called, whoever calls it.
        codec: between pictures and x.
        shown: the pictures of the page.
        sampling: settings of the walks.
    """

    denoiser: Denoiser
    codec: PictureCodec
    shown: Shown
    sampling: Sampling

    @abstractmethod
    def walk(self, count: int, *, seed: int, sampler: str, steps: int) -> Iterator[Step]:
        """The way of the first ``count`` pictures of a seed from noise to data."""

    def asked(self, count: int) -> list[str]:
        """Classes of the first ``count`` pictures of a walk; empty where nothing is asked for."""
        return []

    @property
    def known(self) -> int:
        """How many pictures the exact denoiser holds; 0 for a network."""
        return len(self.denoiser.means) if isinstance(self.denoiser, ExactMixture) else 0

    @property
    def process(self) -> GaussianProcess:
        """How data is lost."""
        return self.denoiser.process

    def estimate(self, x_t: Tensor, t: Tensor, first: int = 0) -> GaussianPosterior:
        """What is known about the clean data of x_t, (B, C, H, W), made from ``shown.x[first:first + B]``."""
        cond = self.shown.cond.map(lambda slot: slot[first : first + len(x_t)])
        return ask(self.denoiser, x_t, t, cond)

    def to_pictures(self, x: Tensor) -> np.ndarray:
        """x, (B, C, H, W), as uint8 pictures, (B, H, W, C)."""
        pictures: np.ndarray = self.codec.decode(x).permute(0, 2, 3, 1).cpu().numpy()
        return pictures

    def count(self, work: Callable[[], Tensor]) -> tuple[Tensor, int]:
        """The result of ``work`` and how often it called the denoiser."""
        calls = 0

        def note(*_: object) -> None:
            nonlocal calls
            calls += 1

        hook = self.denoiser.register_forward_pre_hook(note)
        try:
            return work(), calls
        finally:
            hook.remove()


class ModelSubject(Subject):
    """A trained model, on pictures that it drew itself or on held-out ones.

    Args:
        model: what is explained.
        data: real pictures, or None: then the model draws some.
        seed: of what it draws.
        listener: is told about progress.
    """

    def __init__(self, model: PictureModel, data: str | None, seed: int, listener: Listener) -> None:
        self.model, self.denoiser, self.codec = model.eval(), model.denoiser, model.codec
        self.sampling = model.spec.sampling
        self.shown = self._drawn(seed, listener) if data is None else self._held_out(data, listener)

    def walk(self, count: int, *, seed: int, sampler: str, steps: int) -> Iterator[Step]:
        """See ``Subject.walk``; classes take turns, with the model's own guidance and threshold."""
        sampling = self._settings(sampler, steps)
        return self.model.walk(range(count), self.model.asker.choose(count), seed=seed, sampling=sampling)

    def _settings(self, sampler: str, steps: int) -> Sampling:
        """The model's own settings with another sampler and number of steps; with what it learned."""
        own = self.sampling
        if sampler == "learned" and str(steps) in self.model.spec.learned:
            return self.model.settings(sampler=sampler, steps=steps)
        return replace(
            own,
            sampler=sampler,
            steps=steps,
            # an optimised grid is one for its own number of steps only
            grid=own.grid if own.grid in GRIDS else PLAIN_GRID,
            options=own.options if sampler == own.sampler != "learned" else {},
            levels=(),
        )

    def asked(self, count: int) -> list[str]:
        """See ``Subject.asked``."""
        asker = self.model.asker
        return [next(iter(asker.told(one).values())) for one in asker.choose(count) or []]

    def _drawn(self, seed: int, listener: Listener) -> Shown:
        count = affordable(ASKED, self.model.shape)
        indices, asked = range(count), self.model.asker.choose(count)
        for step in self.model.walk(indices, asked, seed=seed):
            listener.phase("Drawing pictures", step.index + 1, self.sampling.steps)
            x = step.x_s
        with torch.inference_mode():
            return Shown(x, self.model.conditions(indices, asked, seed)[0], "drawn", "")

    def _held_out(self, data: str, listener: Listener) -> Shown:
        store = data_of(self.model, data, listener)
        few = spread(store, store.held_out, affordable(ASKED, self.model.shape))
        if not len(few):
            raise DataError(f"{data} has no held-out pictures to explain with. Leave --data out.")
        held = min(KNOWN, max(1, NUMBERS_AT_ONCE // math.prod(self.model.shape)))
        memory = exact_dataset(self.process, encode(self.codec, store, spread(store, store.train, held)))
        x, other = encode(self.codec, store, few), trained_on(self.model).get("digest") != store.digest
        return Shown(x, self._told_of(store, few), "held_out", Path(data).name, memory, other=other)

    @torch.inference_mode()
    def _told_of(self, store: PictureStore, few: np.ndarray) -> Condition:
        """What steers real pictures: their captions, or their classes."""
        model, count = self.model, len(few)
        if model.encoder is None:
            return NONE
        if model.pairs is not None:
            seen: Condition = model.encoder(model.pairs.embed_pictures(store.images[few]))
            return seen
        if model.spec.text:
            captions = store.captions or ((),) * len(store)
            told = [next(iter(captions[i]), "") for i in few]
            return model.conditions(range(count), model.asker.choose(count, Wish(prompt=told)))[0]
        # several groups of look-alikes to a class: which one a real picture is in, nobody noted
        plain = model.spec.groups == tuple(range(len(model.spec.classes)))
        labels = None if store.labels is None else store.labels[few]
        groups = torch.from_numpy(labels) if labels is not None and plain else torch.full((count,), -1)
        condition: Condition = model.encoder(groups)
        return condition


class ExactSubject(Subject):
    """A schedule, with the exact denoiser of some real pictures.

    Args:
        schedule: a name of ``SCHEDULES``.
        data: real pictures, shown at 28 x 28 pixels.
        listener: is told about progress.
    """

    def __init__(self, schedule: str, data: str, listener: Listener) -> None:
        store = open_pictures(
            data, size=SIDE, progress=lambda done, total: listener.phase("Reading pictures", done, total)
        )
        known = spread(store, store.train, KNOWN)
        if not len(known):
            raise DataError(f"{data} has no pictures to learn from. Give more than one, or --data digits.")
        self.codec = PixelCodec(measure_pixels(store.images, store.train))
        x = encode(self.codec, store, known)
        self.denoiser = exact_dataset(GaussianProcess(SCHEDULES[schedule]()), x)
        self.sampling = Sampling(end=0.05, threshold="none")
        few = spread(store, store.held_out, ASKED)
        unseen = encode(self.codec, store, few) if len(few) else None
        self.shown = Shown(x[:ASKED], NONE, "known", Path(data).name, unseen=unseen)

    def walk(self, count: int, *, seed: int, sampler: str, steps: int) -> Iterator[Step]:
        """See ``Subject.walk``."""
        process, sampling = self.process, self.sampling
        grid = GRIDS[sampling.grid](process, steps, sampling.start, sampling.end)
        rng = Noise.for_pictures(seed, range(count))
        x = process.prior((count, *self.shown.x.shape[1:]), rng, grid[0])
        return trajectory(self.denoiser, SAMPLERS[sampler](), grid, x, rng=rng)


def allowed(process: GaussianProcess, steps: int) -> int:
    """At most so many steps: ancestral sampling takes no more than the chain has."""
    return min(steps, process.schedule.steps) if isinstance(process.schedule, Chain) else steps


def affordable(most: int, shape: Sequence[int]) -> int:
    """How many pictures (C, H, W) take as long as ``most`` of 28 x 28; never more, and at least one."""
    return max(1, min(most, most * SIDE * SIDE // (shape[-1] * shape[-2])))


@torch.inference_mode()
def ask(denoiser: Denoiser, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
    """The denoiser's posterior; an exact one is asked in portions, since it compares with all it holds."""
    if not isinstance(denoiser, ExactMixture):
        posterior: GaussianPosterior = denoiser(x_t, t, cond)
        return posterior
    size = max(1, NUMBERS_AT_ONCE // denoiser.means.numel())
    means = [denoiser(part, t).mean for part in torch.split(x_t, size)]
    return GaussianPosterior(torch.cat(means), x_t, *denoiser.process.scales(t, like=x_t))


def encode(codec: PictureCodec, store: PictureStore, indices: np.ndarray) -> Tensor:
    """Pictures of a store as x, (N, C, H, W)."""
    images = torch.from_numpy(np.ascontiguousarray(store.images[indices]))
    return codec.encode(images.permute(0, 3, 1, 2))


def spread(store: PictureStore, indices: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the indices, classes in turn, always the same."""
    mixed = np.random.default_rng(0).permutation(indices)
    if store.labels is None:
        return mixed[:most]
    labels = store.labels[mixed]
    # the how-manieth of its class each one is: all firsts come first, then all seconds
    turn = np.zeros(len(mixed), np.int64)
    for label in np.unique(labels):
        turn[labels == label] = np.arange((labels == label).sum())
    return mixed[np.lexsort((labels, turn))][:most]
