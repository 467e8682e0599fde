"""The same question every time: the loss on held-out examples, at fixed noise levels, with fixed noise."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from unfog.process import GaussianProcess
from unfog.rng import Noise, derive_seed
from unfog.train.objective import Batch, Objective, slices

MOST = 512  # examples; more would cost time and say nothing new
FEWEST = 64  # few examples are repeated, so that many noise levels are asked about


def asked(indices: np.ndarray) -> np.ndarray:
    """Which of the held-out examples are asked about: up to 512, repeated to at least 64."""
    chosen = indices[np.random.default_rng(0).permutation(len(indices))[:MOST]]
    return np.resize(chosen, max(FEWEST, len(chosen)))


def fix(objective: Objective, batch: Batch) -> Batch:
    """Draw times and noise for the validation batch once; the same in every run."""
    return objective.draw(batch, Noise(derive_seed("validation")))


@torch.no_grad()
def losses(objective: Objective, fixed: Batch, batch: int = 128) -> Tensor:
    """The loss of each fixed example, (N,), with the model as it is; nothing random, nothing changed."""
    device = next(objective.parameters()).device
    modes = [(module, module.training) for module in objective.modules()]
    objective.eval()
    parts = slices(fixed, objective.at_once or batch, device)
    found = [objective(*part) for part in parts]
    for module, training in modes:
        module.training = training
    return torch.cat(found)


def by_noise_level(
    process: GaussianProcess, t: Tensor, values: Tensor, bins: int = 12
) -> list[tuple[float, float]]:
    """Mean unweighted-by-frequency loss for each band of log(sigma / alpha): (centre, loss) pairs."""
    level = -process.log_ratio(t)
    order = level.argsort()
    return [
        (float(level[chunk].mean()), float(values[chunk].mean()))
        for chunk in order.tensor_split(min(bins, len(order)))
        if len(chunk)
    ]
