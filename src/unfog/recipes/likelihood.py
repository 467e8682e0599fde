"""How many bits a model needs for real pictures it never saw, and which of them surprise it most."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unfog.condition import NONE, Condition
from unfog.data import PictureStore
from unfog.errors import DataError, SampleError
from unfog.evaluate.figure import Figure, average
from unfog.evaluate.likelihood import density_bound, log_density
from unfog.model import PictureModel
from unfog.recipes.assess import data_of, trained_on
from unfog.recipes.listen import Listener, Silent
from unfog.rng import Noise, derive_seed

BATCH = 25
UNUSUAL = 10
FINEST = 0.1  # of a grey level: noise that counts as none, well below what dequantisation adds
DEQUANTISED = "each value k in 0..255 became a uniform number in [k - 1/2, k + 1/2)"


@dataclass(frozen=True)
class Likelihood:
    """The answer of ``unfog likelihood``.

    Attributes:
        exact: bits for each value of a picture, by the probability flow.
        bound: an upper bound of the same, by the variational bound.
        unusual: (name, bits per value) of the pictures that need most, the worst first.
        values: everything as plain values.
        notes: sentences for the user.
    """

    exact: Figure
    bound: Figure
    unusual: list[tuple[str, float]]
    values: dict[str, Any]
    notes: list[str]


def measure_likelihood(
    model: PictureModel,
    data: str | Path,
    n: int = 100,
    *,
    seed: int = 0,
    tolerance: float = 1e-5,
    levels: int = 64,
    listener: Listener | None = None,
) -> Likelihood:
    """Bits per value (pixel and channel) of held-out pictures.

    Args:
        model: trained.
        data: what it learned from: its held-out part is measured.
        n: pictures, at most.
        seed: of the choice, of dequantisation, of random signs.
        tolerance: of the solver.
        levels: noise levels for the bound of each picture.
        listener: is told about progress.

    Raises:
        DataError: if the data has no held-out pictures, or other classes.
        SampleError: if the model does not work in pixels.
    """
    listener = listener or Silent()
    _check_pixels(model)
    store = data_of(model, data, listener)
    if not len(store.held_out):
        raise DataError(f"{data} has no held-out pictures to measure. Give more than one picture.")
    chosen = np.sort(np.random.default_rng(seed).permutation(store.held_out)[:n])
    low, high = _range(model.eval())
    started = time.perf_counter()
    weighed = []
    for first in range(0, len(chosen), BATCH):
        part = chosen[first : first + BATCH]
        weighed.append(_weigh(model, store, part, (low, high), tolerance, levels, derive_seed(seed, first)))
        listener.phase("Weighing", first + len(part), len(chosen))
    bits, upper = (np.concatenate(each) for each in list(zip(*weighed, strict=True))[:2])
    order = np.argsort(-bits)[:UNUSUAL]
    unusual = [(store.names[chosen[i]], float(bits[i])) for i in order]
    figures = average(bits), average(upper)
    notes = []
    if trained_on(model).get("digest") not in (None, store.digest):
        notes.append("These are not exactly the pictures the model was trained on (another content hash).")
    values = {
        "unit": "bits per value",
        "exact": figures[0].to_dict(),
        "bound": figures[1].to_dict(),
        "dequantisation": DEQUANTISED,
        "unusual": [{"name": name, "bits": value} for name, value in unusual],
        "calls": max(each[2] for each in weighed),
        "seconds": round(time.perf_counter() - started, 2),
        "tolerance": tolerance,
        "noise": [low, high],
        "notes": notes,
    }
    return Likelihood(*figures, unusual, values, notes)


def _check_pixels(model: PictureModel) -> None:
    if model.spec.latent:
        raise SampleError(
            "This model works in the latents of a codec, and their density is not that of pixels: many "
            "pictures share one latent. Train in pixels to measure likelihood: leave --codec out."
        )


def _weigh(
    model: PictureModel,
    store: PictureStore,
    part: np.ndarray,
    ends: tuple[float, float],
    tolerance: float,
    levels: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Exact bits and bound of some pictures, (B,) each, and the calls of the solver."""
    (low, high), rng = ends, Noise(derive_seed(seed, "signs"))
    x = _continuous(model, store.images[part], derive_seed(seed, "dequantise"))
    cond = _condition(model, None if store.labels is None else store.labels[part], len(part))
    found = log_density(model.denoiser, x, cond, low=low, high=high, tolerance=tolerance, rng=rng)
    bound = density_bound(model.denoiser, x, cond, low=low, high=high, levels=levels, rng=rng)
    return _bits(model, found.nats), _bits(model, bound), found.calls


def _range(model: PictureModel) -> tuple[float, float]:
    """Noise-to-signal ratios between which the flow is followed, within what the schedule has."""
    statistics, process = model.codec.statistics, model.denoiser.process
    low = FINEST / (255 * max(max(statistics.std), 0.5 / 255))
    ends = [float(sigma / alpha) for alpha, sigma in (process.scales(0.0), process.scales(1.0))]
    return max(low, 1.001 * ends[0]), min(50 * model.codec.spread, 0.999 * ends[1])


def _continuous(model: PictureModel, images: np.ndarray, seed: int) -> Tensor:
    """Pictures with uniform noise of one grey level, normalised; (B, C, H, W)."""
    raw = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float()
    return model.codec.encode(raw + Noise(seed).uniform(raw.shape) - 0.5)


def _bits(model: PictureModel, nats: Tensor) -> np.ndarray:
    """Bits per value of 8-bit pictures, from the log density of x: normalising stretched every value."""
    channels, height, width = model.shape
    std = [max(std, 0.5 / 255) for std in model.codec.statistics.std]
    stretched = height * width * sum(math.log(255 * each) for each in std)
    bits: np.ndarray = (-(nats - stretched) / (math.log(2) * channels * height * width)).numpy()
    return bits


def _condition(model: PictureModel, labels: np.ndarray | None, batch: int) -> Condition:
    """The pictures' own classes, where each class is one group; else the condition that says nothing."""
    if model.encoder is None:
        return NONE
    groups = model.spec.groups
    if labels is None or groups != tuple(range(len(model.spec.classes))):
        return model.encoder.null(batch)
    condition: Condition = model.encoder(torch.from_numpy(labels))
    return condition
