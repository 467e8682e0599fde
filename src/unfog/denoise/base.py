"""The one thing that is learned: given x_t, what was x?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Generic, Self

import torch
from torch import Tensor, nn
from typing_extensions import TypeVar

from unfog.condition.base import NONE, Condition
from unfog.process.base import Process
from unfog.process.gaussian import GaussianProcess
from unfog.shapes import expand_like


class Posterior(ABC):
    """What is known about the clean data given x_t."""

    @abstractmethod
    def divergence(self, x: Tensor) -> Tensor:
        """How wrong this is about the true x, one number per example, (B,)."""

    @abstractmethod
    def extrapolate(self, other: Self, scale: float) -> Self:
        """other + scale (self - other): what guidance needs; scale 1 is this posterior itself."""

    @property
    @abstractmethod
    def guess(self) -> Tensor:
        """The best clean estimate, (B, *S): the mean, or the most likely tokens. Previews show it."""

    @abstractmethod
    def halves(self) -> tuple[Self, Self]:
        """The answers to two questions that were asked in one batch, each about B / 2 examples."""

    @abstractmethod
    def where(self, chosen: Tensor, other: Self) -> Self:
        """A mix: this one for the examples that are ``chosen``, bool () or (B,), the other one elsewhere."""


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

    @property
    def guess(self) -> Tensor:
        """The mean."""
        return self.mean

    def halves(self) -> tuple[Self, Self]:
        """See ``Posterior.halves``."""
        parts = [
            (part, part) if part is None or not part.ndim else part.tensor_split(2)
            for part in (self.mean, self.x_t, self.alpha, self.sigma, self.fraction)
        ]
        first, second = (type(self)(*half) for half in zip(*parts, strict=True))
        return first, second

    def where(self, chosen: Tensor, other: Self) -> Self:
        """The mean of the chosen; all else stays."""
        return self.with_mean(
            torch.where(expand_like(chosen.to(self.x_t.device), self.x_t), self.mean, other.mean)
        )

    def with_mean(self, mean: Tensor) -> Self:
        """The same observation, and the same fraction of the variance, with another clean estimate."""
        return replace(self, mean=mean)


# whoever writes no brackets speaks of pictures: Denoiser is Denoiser[GaussianProcess, GaussianPosterior]
ProcessT = TypeVar("ProcessT", bound=Process, covariant=True, default=GaussianProcess)
PosteriorT = TypeVar("PosteriorT", bound=Posterior, covariant=True, default=GaussianPosterior)


class Denoiser(nn.Module, ABC, Generic[ProcessT, PosteriorT]):
    """Anything that turns x_t into a posterior of x: a network, a closed form, a guided denoiser.

    Attributes:
        process: how x_t came about.
    """

    process: ProcessT

    @abstractmethod
    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> PosteriorT:
        """Estimate the clean data.

        Args:
            x_t: (B, *S).
            t: times in [0, 1], () or (B,).
            cond: what steers it.
        """
