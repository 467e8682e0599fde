"""Denoisers that need no network because the law of the data is known: the ground truth of all tests.

For Gaussian data everything is linear; a mixture of Gaussians bends it; a finite set of examples is what a
network that memorised its data would compute. Each knows E[x | x_t] exactly, and the density of x_t; the
Gaussian also knows where the probability flow takes every single point.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser, GaussianPosterior
from unfog.process.gaussian import GaussianProcess
from unfog.rng import Noise


class ExactMixture(Denoiser):
    """Data from a mixture of isotropic Gaussians.

    Args:
        process: the Gaussian process.
        means: centres, (K, *S).
        std: standard deviation of every component, 0 for points.
        weights: probabilities, (K,); uniform when left out.
    """

    def __init__(
        self, process: GaussianProcess, means: Tensor, std: float, weights: Tensor | None = None
    ) -> None:
        super().__init__()
        self.process, self.means, self.std = process, means, std
        self.weights = torch.full((len(means),), 1 / len(means)).to(means) if weights is None else weights

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        """E[x | x_t]: each component's linear estimate, weighted by how probable it made x_t."""
        alpha, sigma = self.process.scales(t, like=x_t)
        share = self._log_joint(x_t, t).softmax(1)
        gain = alpha * self.std**2 / (alpha**2 * self.std**2 + sigma**2)
        centre = (share @ self.means.to(x_t).flatten(1)).view_as(x_t)
        return GaussianPosterior(centre + gain * (x_t - alpha * centre), x_t, alpha, sigma)

    def log_density(self, x_t: Tensor, t: Tensor | float = 0.0) -> Tensor:
        """log p(x_t) in nats, (B,)."""
        return self._log_joint(x_t, t).logsumexp(1)

    def draw(self, count: int, rng: Noise) -> Tensor:
        """``count`` examples of the data, (count, *S)."""
        bounds = self.weights.cumsum(0).to(self.means)
        # the last bound is left out, so that rounding never picks a component beyond it
        place = rng.uniform((count,), like=self.means)
        centres = self.means[torch.searchsorted(bounds[:-1], place, right=True)]
        return centres + self.std * rng.normal(centres.shape, like=centres)

    def _log_joint(self, x_t: Tensor, t: Tensor | float) -> Tensor:
        """log of weight times density for every component, (B, K)."""
        alpha, sigma = self.process.scales(t, like=x_t)
        if torch.as_tensor(t).ndim:  # one time per example: (B, 1, ...) against (B, K, *S)
            alpha, sigma = alpha[:, None], sigma[:, None]
        squared = (x_t[:, None] - alpha * self.means.to(x_t)).square().flatten(2).sum(2)
        variance = (alpha**2 * self.std**2 + sigma**2).reshape(-1, 1)
        size = x_t[0].numel()
        normaliser = 0.5 * size * torch.log(2 * math.pi * variance)
        return self.weights.to(x_t).log() - squared / (2 * variance) - normaliser


class ExactGaussian(Denoiser):
    """Data from one Gaussian with independent coordinates.

    Args:
        process: the Gaussian process.
        mean, std: a number or a tensor that broadcasts against (B, *S).
    """

    def __init__(self, process: GaussianProcess, mean: float | Tensor, std: float | Tensor) -> None:
        super().__init__()
        self.process = process
        # numbers in float64: in float32, 0.7 would be 0.69999999 also where the data is float64
        self.mean, self.std = (
            v if isinstance(v, Tensor) else torch.tensor(v, dtype=torch.float64) for v in (mean, std)
        )

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        """E[x | x_t] = m + alpha s^2 (x_t - alpha m) / (alpha^2 s^2 + sigma^2)."""
        alpha, sigma = self.process.scales(t, like=x_t)
        mean, std = self.mean.to(x_t), self.std.to(x_t)
        gain = alpha * std**2 / (alpha**2 * std**2 + sigma**2)
        return GaussianPosterior(mean + gain * (x_t - alpha * mean), x_t, alpha, sigma)

    def log_density(self, x_t: Tensor, t: Tensor | float = 0.0) -> Tensor:
        """log p(x_t) in nats, (B,)."""
        alpha, sigma = self.process.scales(t, like=x_t)
        variance = alpha**2 * self.std.to(x_t) ** 2 + sigma**2
        squared = (x_t - alpha * self.mean.to(x_t)) ** 2 / variance
        return -0.5 * (squared + torch.log(2 * math.pi * variance).expand_as(x_t)).flatten(1).sum(1)

    def flow_map(self, x_t: Tensor, t: float, s: float) -> Tensor:
        """Where the probability-flow ODE takes x_t from t to s: the same quantile of another Gaussian."""
        (alpha_t, sigma_t), (alpha_s, sigma_s) = self.process.scales(t), self.process.scales(s)
        mean, std = self.mean.to(x_t), self.std.to(x_t)
        here = (alpha_t**2 * std**2 + sigma_t**2).sqrt()
        there = (alpha_s**2 * std**2 + sigma_s**2).sqrt()
        return alpha_s * mean + there / here * (x_t - alpha_t * mean)


def exact_dataset(process: GaussianProcess, examples: Tensor) -> ExactMixture:
    """The denoiser of a finite data set, (N, *S): the optimum of training, and pure memory."""
    return ExactMixture(process, examples, std=0.0)
