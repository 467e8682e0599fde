"""unfog as a contestant: the image recipe with its default settings, with the same handles as the peers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from unfog.data import open_pictures
from unfog.model import Model
from unfog.recipes.image import DataConfig, ImageConfig, batches, build
from unfog.train import Batches, TrainConfig, Training, TrainStep

ENDLESS = 10_000_000  # steps of a run that is only measured and never finished


class Ours:
    """unfog on its embedded digits.

    Speed is measured on the trainer itself, that is on everything that happens between two steps, but not
    on the previews, validation and checkpoints of a run: the peers' loops have none either.

    Args:
        labels: learn the classes, or be unconditional as the peers are.
        seed: of weights, order and noise.
        batch: pictures per step; the recipe's own when left out.

    Attributes:
        model: the model; what `train` made, once it was called.
        data: gives the batch of any step.
    """

    packages = ("unfog",)

    def __init__(self, labels: bool, seed: int, batch: int | None = None) -> None:
        size = {} if batch is None else {"batch": batch}
        self.labels, self.seed = labels, seed
        self.title = "unfog, with labels" if labels else "unfog, unconditional"
        train = TrainConfig(seed=seed, steps=ENDLESS, **size)
        self.config = ImageConfig(data=DataConfig(source="digits", classes=labels), train=train)
        self.batch = train.batch
        store = open_pictures("digits")
        self.model: Model = build(self.config, store)
        self.data: Batches = batches(self.config, store, self.model)
        self._steps: Iterator[TrainStep] | None = None

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
        """A whole run through the public door, `unfog.train`; returns the losses."""
        import unfog

        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "run"
            settings = [f"data.classes={'true' if self.labels else 'false'}"]
            self.model = unfog.train(
                "image", "digits", out, steps=steps, seed=self.seed, settings=settings, samples=0
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
    import json

    entries = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return [entry["loss"] for entry in entries if "loss" in entry]
