"""Pictures between two pictures: both are turned into the noise they come from, and mixed there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from unfog.condition import NONE, Condition
from unfog.errors import SampleError
from unfog.model import PictureModel
from unfog.model.asked import Wish
from unfog.output.pictures import Saved, save_pictures
from unfog.output.provenance import Provenance
from unfog.recipes.listen import Listener, Silent
from unfog.recipes.pictures import read_picture
from unfog.rng import Noise
from unfog.sample import GRIDS, Heun, trajectory
from unfog.sample.encode import between, encode

STEPS = 60  # each way; Heun's, so that the way down retraces the way up


def interpolate(
    model: PictureModel,
    ends: Sequence[str | Path],
    out: str | Path,
    n: int = 9,
    *,
    label: str | int | None = None,
    listener: Listener | None = None,
) -> Saved:
    """Draw n pictures on the way from one picture to another, the first and last being the two themselves.

    Args:
        model: what draws.
        ends: two picture files, of any size; brought to the model's.
        out: the folder; results that are there already stay.
        n: how many, at least 2.
        label: class of both; the way leads through any class when left out.
        listener: is told about progress.

    Raises:
        SampleError: if these are not two pictures, or fewer than two are asked for.
        DataError: if a file is no picture.
    """
    if len(ends) != 2 or n < 2:
        raise SampleError(
            f"{len(ends)} pictures and -n {n}: give two pictures, and at least two to draw: "
            "--between A.png --between B.png -n 9"
        )
    channels, size, _ = model.shape
    pictures = np.stack([read_picture(end, size, channels) for end in ends])
    settings = asdict(
        replace(
            model.spec.sampling,
            sampler="heun",
            steps=STEPS,
            grid="log-snr",
            guidance=1.0,
            autoguidance=1.0,
            options={},
        )
    )
    entries = [
        Provenance(
            model=model.fingerprint(),
            recipe=model.spec.recipe,
            kind="between",
            index=i,
            label=None if label is None else model.spec.classes[model.class_index(label)],
            settings={**settings, "between": [Path(end).name for end in ends], "share": i / (n - 1)},
        )
        for i in range(n)
    ]
    drawn = _between(model, pictures, n, _condition(model, label), listener or Silent())
    return save_pictures(Path(out), drawn, entries)


@torch.inference_mode()
def codes(model: PictureModel, pictures: np.ndarray, cond: Condition) -> Tensor:
    """The noise of each picture, uint8 (B, H, W, C) -> (B, C, H, W)."""
    raw = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    x = model.codec.encode(raw).to(model.device)
    return encode(model.eval().denoiser, x, _grid(model), cond)


def _between(
    model: PictureModel, pictures: np.ndarray, n: int, one: Condition, listener: Listener
) -> Iterator[np.ndarray]:
    both = codes(model, pictures, one.map(lambda slot: slot.repeat(2, *[1] * (slot.ndim - 1))))
    first, last = both[:1], both[1:]
    grid, process = _grid(model), model.denoiser.process
    for index in range(n):
        x = process.scales(grid[0], like=first)[1] * between(first, last, index / (n - 1))
        with torch.inference_mode():
            for step in trajectory(model.denoiser, Heun(), grid, x, one, rng=Noise(0)):
                end = step.x_s
                listener.phase("Drawing", index * STEPS + step.index + 1, n * STEPS)
        yield model.to_pictures(end)[0]


def _grid(model: PictureModel) -> Tensor:
    own = model.spec.sampling
    return GRIDS["log-snr"](model.denoiser.process, STEPS, own.start, own.end)


def _condition(model: PictureModel, label: str | int | None) -> Condition:
    """One example's: a class, or nothing said."""
    if model.encoder is None:
        if label is not None:
            model.class_index(label)  # says that there are no classes
        return NONE
    if label is None:
        return model.encoder.null(1)
    return model.conditions([0], model.asker.choose(1, Wish(label=label)))[0]
