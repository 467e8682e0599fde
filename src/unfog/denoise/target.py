"""What the network is asked to predict, as a pair of coefficients.

With x_t = alpha x + sigma e and a network trained to output a x + b e, the clean data is

    x = (b x_t - sigma out) / (alpha b - sigma a)

so a prediction target is only a row of this table. EDM's preconditioning (Karras et al. 2022) is ``v`` on
data of standard deviation 1: there is nothing else to it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from unfog.process.gaussian import GaussianProcess

Coefficients = tuple[Tensor, Tensor]
Target = Callable[[GaussianProcess, Tensor, Tensor], Coefficients]


def data(process: GaussianProcess, t: Tensor, like: Tensor) -> Coefficients:
    """The clean data itself, x."""
    alpha, _ = process.scales(t, like=like)
    return torch.ones_like(alpha), torch.zeros_like(alpha)


def noise(process: GaussianProcess, t: Tensor, like: Tensor) -> Coefficients:
    """The noise e, as DDPM does. Says nothing about x where alpha is 0."""
    alpha, _ = process.scales(t, like=like)
    return torch.zeros_like(alpha), torch.ones_like(alpha)


def v(process: GaussianProcess, t: Tensor, like: Tensor) -> Coefficients:
    """(alpha e - sigma x) / sqrt(alpha^2 + sigma^2), of unit variance at all times (Salimans & Ho 2022)."""
    alpha, sigma = process.scales(t, like=like)
    norm = torch.rsqrt(alpha**2 + sigma**2)
    return -sigma * norm, alpha * norm


def velocity(process: GaussianProcess, t: Tensor, like: Tensor) -> Coefficients:
    """alpha' x + sigma' e, the speed of the probability flow (flow matching)."""
    return process.rates(t, like=like)


def score(process: GaussianProcess, t: Tensor, like: Tensor) -> Coefficients:
    """-e / sigma, the gradient of the log density of x_t (score matching)."""
    _, sigma = process.scales(t, like=like)
    return torch.zeros_like(sigma), -1 / sigma
