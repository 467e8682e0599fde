"""What the multistep samplers share: integrating a polynomial through past estimates exactly.

In the clock l the probability flow from t to s is, with x(l) the clean estimate along the way,

    x_s = sigma_s / sigma_t x_t + alpha_s integral of exp(l - l_s) x(l) dl        (l from l_t to l_s)

A multistep sampler puts a polynomial through the last estimates and integrates that (Lu et al. 2022,
arXiv 2211.01095; Zhao et al. 2023, arXiv 2302.04867). What remains is one weight for each estimate;
they are kept, as every batch of a request walks the same grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from unfog.process.gaussian import GaussianProcess
from unfog.sample.base import straight


@dataclass(frozen=True)
class Estimate:
    """What a network said, and where.

    Attributes:
        value: the clean estimate, or the noise, (B, *S).
        at: the clock l, or whatever variable the sampler integrates over.
    """

    value: Tensor
    at: float


@lru_cache(maxsize=4096)
def exponential_weights(nodes: tuple[float, ...], start: float, end: float) -> tuple[float, ...]:
    """Weights that integrate exp(l - end) p(l) from start to end, for the polynomial p through the nodes.

    Args:
        nodes: clocks of the estimates, all different and finite, K of them.
        start, end: clocks l_t and l_s.

    Returns:
        K weights; they add up to 1 - exp(start - end).
    """
    h = end - start
    moments = [-math.expm1(-h)]
    for power in range(1, len(nodes)):  # by parts: the integral of exp(u - h) u^k from 0 to h
        moments.append(h**power - power * moments[-1])
    return tuple(_solve([node - start for node in nodes], moments))


@lru_cache(maxsize=4096)
def plain_weights(nodes: tuple[float, ...], start: float, end: float) -> tuple[float, ...]:
    """Weights that integrate p from start to end, for the polynomial p through the nodes; as above."""
    h = end - start
    moments = [h ** (k + 1) / (k + 1) for k in range(len(nodes))]
    return tuple(_solve([node - start for node in nodes], moments))


def _solve(places: list[float], moments: list[float]) -> list[float]:
    """The weights w with sum w_i places_i^k = moments_k for all k."""
    scale = max(1e-300, *(abs(place) for place in places), 1e-300)  # steps of 0.01 cubed are small
    powers = np.vander(np.array(places) / scale, len(places), increasing=True).T
    wanted = np.array([moment / scale**k for k, moment in enumerate(moments)])
    return [float(weight) for weight in np.linalg.solve(powers, wanted)]


def combine(estimates: Sequence[Estimate], weights: Sequence[float]) -> Tensor:
    """The weighted sum of estimates, (B, *S)."""
    total = weights[0] * estimates[0].value
    for estimate, weight in zip(estimates[1:], weights[1:], strict=True):
        total = torch.add(total, estimate.value, alpha=weight)
    return total


def flow(
    process: GaussianProcess, x_t: Tensor, t: Tensor, s: Tensor, estimates: Sequence[Estimate]
) -> Tensor:
    """Go from t to s by the exact integral of the polynomial through clean estimates, newest first.

    Where the clock is infinite at either end there is no polynomial in it: the newest estimate counts alone,
    which is DDIM.
    """
    start, end = float(process.log_ratio(t)), float(process.log_ratio(s))
    finite = [estimate for estimate in estimates if math.isfinite(estimate.at)]
    if not (math.isfinite(start) and math.isfinite(end) and finite):
        return straight(process, x_t, t, s, estimates[0].value)
    weights = exponential_weights(tuple(estimate.at for estimate in finite), start, end)
    sigma_t, (alpha_s, sigma_s) = process.numbers(t)[1], process.numbers(s)
    return torch.add(sigma_s / sigma_t * x_t, combine(finite, weights), alpha=alpha_s)
