"""The same question every time: the loss on held-out pictures, at fixed noise levels, with fixed noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unfog.model import Model
from unfog.rng import Noise, derive_seed, stratified
from unfog.train.config import TrainConfig
from unfog.train.objective import Objective

MOST = 512  # pictures; more would cost time and say nothing new


@dataclass(frozen=True)
class Fixed:
    """Pictures, times, noise and labels that stay the same through a run.

    Attributes:
        x: clean data, (N, C, H, W).
        t: times, (N,).
        noise: (N, C, H, W).
        labels: (N,) or None.
    """

    x: Tensor
    t: Tensor
    noise: Tensor
    labels: Tensor | None


def fix(
    model: Model, images: np.ndarray, labels: np.ndarray | None, indices: np.ndarray, config: TrainConfig
) -> Fixed:
    """Draw the validation set once: up to 512 pictures, repeated to at least 64 noise levels."""
    rng = Noise(derive_seed("validation"))
    chosen = indices[np.random.default_rng(0).permutation(len(indices))[:MOST]]
    chosen = np.resize(chosen, max(64, len(chosen)))
    x = torch.from_numpy(np.ascontiguousarray(images[chosen])).permute(0, 3, 1, 2)
    objective = Objective(model.denoiser, model.encoder, config)
    return Fixed(
        x=model.codec.encode(x),
        t=objective.times(stratified(len(chosen), rng)),
        noise=rng.normal(x.shape).to(model.device),
        labels=None if labels is None or model.encoder is None else torch.from_numpy(labels[chosen]),
    )


@torch.no_grad()
def losses(model: Model, fixed: Fixed, config: TrainConfig, batch: int = 128) -> Tensor:
    """The loss of each fixed example, (N,), with the model as it is; nothing random, nothing changed."""
    objective = Objective(model.denoiser, model.encoder, config)
    was_training = model.training
    model.eval()
    parts = []
    for first in range(0, len(fixed.x), batch):
        cut = slice(first, first + batch)
        labels = None if fixed.labels is None else fixed.labels[cut]
        parts.append(objective(fixed.x[cut], fixed.t[cut], fixed.noise[cut], labels))
    model.train(was_training)
    return torch.cat(parts)


def by_noise_level(model: Model, fixed: Fixed, values: Tensor, bins: int = 12) -> list[tuple[float, float]]:
    """Mean unweighted-by-frequency loss for each band of log(sigma / alpha): (centre, loss) pairs."""
    level = -model.denoiser.process.log_ratio(fixed.t)
    order = level.argsort()
    return [
        (float(level[chunk].mean()), float(values[chunk].mean()))
        for chunk in order.tensor_split(min(bins, len(order)))
        if len(chunk)
    ]
