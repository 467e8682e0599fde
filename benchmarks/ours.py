"""unfog as a contestant: the image recipe with its default settings, with the same handles as the peers."""

from __future__ import annotations

import copy
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from unfog import config as configs
from unfog.data import open_pictures
from unfog.model import PictureModel
from unfog.recipes import train
from unfog.recipes.image import ImageConfig, prepared_for
from unfog.train import Training, TrainStep

ENDLESS = 10_000_000  # steps of a run that is only measured and never finished

# name -> title, and what differs from the defaults
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "unfog": ("unfog, without labels", ("data.classes=false",)),
    "unfog-labels": ("unfog, with labels", ()),
    "unfog-plain": ("unfog, without labels or groups", ("data.classes=false", "data.groups=0")),
}


class Ours:
    """unfog on its embedded digits.

    Speed is measured on the trainer itself, that is on everything that happens between two steps, but not on
    the previews, validation and checkpoints of a run: the peers' loops have none either. What is done once,
    before the first step (measuring the pixels, finding groups of look-alikes), counts: see `setup`.

    Args:
        kind: a name of `KINDS`.
        seed: of weights, order and noise.
        batch: pictures per step; the recipe's own when left out.

    Attributes:
        model: the model; what `train` made, once it was called.
        data: gives the batch of any step.
        setup: CPU seconds of preparation that come off the training time.
    """

    packages = ("unfog",)

    def __init__(self, kind: str, seed: int, batch: int | None = None) -> None:
        self.title, self.settings = KINDS[kind]
        self.seed = seed
        values: dict[str, Any] = {"data": {"source": "digits"}, "train": {"seed": seed, "steps": ENDLESS}}
        if batch is not None:
            values["train"]["batch"] = batch
        values = configs.override(values, self.settings)
        self.config = configs.parse(ImageConfig, values, "benchmark")
        self.batch = self.config.train.batch
        store = open_pictures("digits")
        start = time.process_time()
        prepared = prepared_for(self.config, store)
        self.setup = time.process_time() - start
        self.model: PictureModel = prepared.model
        self.data = prepared.batches(self.config)
        self._steps: Iterator[TrainStep] | None = None

    def learn(self) -> None:
        """The network's part of a step, forward and backward; AdamW multiplies no matrices."""
        plain = self.config.train.model_copy(update={"optimiser": "adamw", "steps": 1})
        next(Training(copy.deepcopy(self.model), self.data, plain).fit())

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        return self.model.count_parameters()

    def advance(self) -> float:
        """Train one step; returns the loss."""
        if self._steps is None:
            self._steps = Training(self.model, self.data, self.config.train).fit()
        return next(self._steps).loss

    def train(self, steps: int) -> list[float]:
        """A whole run through the function behind `unfog.train`; returns the losses."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "run"
            self.model = train(
                "image", "digits", out, steps=steps, seed=self.seed, settings=self.settings, samples=0
            )
            return _losses(out / "log.jsonl")

    def finish(self) -> None:
        """Nothing to do: `train` leaves averaged weights."""

    def sample(self, count: int, seed: int, **settings: Any) -> tuple[Tensor, Tensor | None]:
        """Draw with the model's own settings: (count, 1, 28, 28) in [-1, 1], and the labels asked for."""
        chosen = self.model.choose_labels(count)
        drawn = self.model.draw(chosen, count, seed=seed, sampling=self.model.settings(**settings))
        samples = torch.from_numpy(np.ascontiguousarray(drawn)).permute(0, 3, 1, 2).float() / 127.5 - 1
        return samples, None if chosen is None else torch.tensor(chosen)

    def save(self, path: Path) -> None:
        """Keep the weights, so that sampling can be repeated without training."""
        save_file(
            {name: value.detach().contiguous() for name, value in self.model.state_dict().items()}, path
        )

    def load(self, path: Path) -> None:
        """Take back what `save` kept; ready to sample."""
        self.model.load_state_dict(load_file(path))
        self.model.eval()


def _losses(log: Path) -> list[float]:
    entries = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return [entry["loss"] for entry in entries if "loss" in entry]
