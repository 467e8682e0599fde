"""Averaging the weights, with the length of the average chosen after training.

Karras et al. 2024, arXiv 2312.02696.

The average that is best depends on how long training ran, and is not known before. So two averages with
different power-law profiles are kept, snapshots of both are stored now and then, and any other profile is
afterwards put together from the snapshots as their least-squares combination.

A profile is named by its relative width: 0.10 means that its weight is spread over about the last tenth of
training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Weights = dict[str, Tensor]

WIDTHS = (0.05, 0.10)  # the two averages that are kept
REACH = 0.3  # of the steps: averages from before overlap none that could be asked for
EARLY = 0.125  # of the steps: the shorter average is kept from here on, as the weak self of autoguidance


def exponent(width: float) -> float:
    """The power gamma of the profile t^gamma whose relative width is ``width``, 0 < width < 0.28."""
    roots = np.roots([1, 7, 16 - width**-2, 12 - width**-2])
    return float(roots[np.isreal(roots) & (roots.real >= 0)].real.max())


class PowerAverage:
    """One power-law average of a set of weights.

    Args:
        weights: what to start from, by name; copied.
        width: relative width of the profile.
    """

    def __init__(self, weights: Mapping[str, Tensor], width: float) -> None:
        self.width, self.gamma = width, exponent(width)
        self.weights: Weights = {name: w.detach().float().clone() for name, w in weights.items()}

    def update(self, weights: Mapping[str, Tensor], step: int) -> None:
        """Take in the weights after ``step`` steps (1, 2, ...)."""
        keep = (1 - 1 / step) ** (self.gamma + 1)
        mine = list(self.weights.values())
        torch._foreach_lerp_(mine, [weights[name].detach().float() for name in self.weights], 1 - keep)

    def snapshot(self, step: int) -> Snapshot:
        """A copy of the average as it stands after ``step`` steps."""
        return Snapshot(step, self.gamma, {name: w.clone() for name, w in self.weights.items()})


@dataclass(frozen=True)
class Snapshot:
    """An average as it stood.

    Attributes:
        step: when, in steps.
        gamma: its exponent.
        weights: the average.
    """

    step: int
    gamma: float
    weights: Weights


def combine(snapshots: Sequence[Snapshot], width: float, step: int) -> Weights:
    """The average of relative ``width`` at ``step``, as the least-squares combination of snapshots.

    Args:
        snapshots: stored along the way, none later than ``step``.
        width: relative width asked for.
        step: the end of the wanted profile.

    Returns:
        Weights by name, float32.
    """
    usable = [s for s in snapshots if s.step <= step]
    factors = combination(
        [s.step for s in usable], [s.gamma for s in usable], step=float(step), gamma=exponent(width)
    )
    total: Weights = {name: torch.zeros_like(w, dtype=torch.float64) for name, w in usable[0].weights.items()}
    for factor, snapshot in zip(factors, usable, strict=True):
        for name, weight in total.items():
            weight.add_(snapshot.weights[name], alpha=factor)
    return {name: weight.float() for name, weight in total.items()}


def combination(steps: Sequence[float], gammas: Sequence[float], step: float, gamma: float) -> list[float]:
    """The factors by which to add up profiles (steps, gammas) to get nearest to the profile (step, gamma)."""
    t, g = np.asarray(steps, np.float64), np.asarray(gammas, np.float64)
    gram = _overlap(t[:, None], g[:, None], t[None], g[None])
    wanted = _overlap(t, g, np.array(step), np.array(gamma))
    # snapshots far in the past overlap almost nothing: a tiny ridge keeps the solution tame
    return [float(f) for f in np.linalg.solve(gram + 1e-12 * np.trace(gram) * np.eye(len(t)), wanted)]


def _overlap(ta: np.ndarray, ga: np.ndarray, tb: np.ndarray, gb: np.ndarray) -> np.ndarray:
    """The inner product of two profiles, elementwise."""
    ratio = np.where(ta < tb, (ta / tb) ** gb, (tb / ta) ** ga)
    result: np.ndarray = (ga + 1) * (gb + 1) * ratio / ((ga + gb + 1) * np.maximum(ta, tb))
    return result
