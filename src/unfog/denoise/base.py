"""The one thing that is learned: given x_t, what was x?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor, nn

from unfog.condition.base import NONE, Condition
from unfog.process.gaussian import GaussianProcess


class Posterior(ABC):
    """What is known about the clean data given x_t."""

    @abstractmethod
    def divergence(self, x: Tensor) -> Tensor:
        """How wrong this is about the true x, one number per example, (B,)."""

    @abstractmethod
    def extrapolate(self, other: Self, scale: float) -> Self:
        """other + scale (self - other): all that guidance needs; scale 1 is this posterior itself."""


@dataclass(frozen=True)
class GaussianPosterior(Posterior):
    """The mean of x given x_t = alpha x + sigma e, and what follows from it.

    Attributes:
        mean: the expected clean data, (B, *S).
        x_t: what it was estimated from, (B, *S).
        alpha, sigma: the scales at t, broadcastable to x_t.
        fraction: where the log variance of the reverse step lies between its two extremes, about 0 to 1,
            (B, *S); None where it was not learned. See ``denoise/variance.py``.
    """

    mean: Tensor
    x_t: Tensor
    alpha: Tensor
    sigma: Tensor
    fraction: Tensor | None = None

    @property
    def noise(self) -> Tensor:
        """The expected noise e, (B, *S)."""
        return (self.x_t - self.alpha * self.mean) / self.sigma

    @property
    def score(self) -> Tensor:
        """The gradient of log p(x_t), (B, *S) (Tweedie)."""
        return (self.alpha * self.mean - self.x_t) / self.sigma**2

    def divergence(self, x: Tensor) -> Tensor:
        """Squared error of the clean estimate, mean over the example, (B,)."""
        return (x - self.mean).square().flatten(1).mean(1)

    def extrapolate(self, other: Self, scale: float) -> Self:
        """Guidance on the clean estimate."""
        return self.with_mean(other.mean + scale * (self.mean - other.mean))

    def with_mean(self, mean: Tensor) -> Self:
        """The same observation, and the same fraction of the variance, with another clean estimate."""
        return replace(self, mean=mean)


class Denoiser(nn.Module, ABC):
    """Anything that turns x_t into a posterior of x: a network, a closed form, a guided denoiser.

    Attributes:
        process: how x_t came about.
    """

    process: GaussianProcess

    @abstractmethod
    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        """Estimate the clean data.

        Args:
            x_t: (B, *S).
            t: times in [0, 1], () or (B,).
            cond: what steers it.
        """
