"""What discrete processes share: tokens of a vocabulary, and how many of them are still themselves at t.

A token is kept until t with probability alpha(t), which falls from 1 to 0; what becomes of it then is the
process's own affair (``masked.py``, ``uniform.py``). Every schedule of alpha is the same road travelled at
another speed, as for pictures: the bound of the likelihood does not depend on it. The names:

    LinearKeep       1 - t: equal shares in equal times, MDLM's (Sahoo et al. 2024, arXiv 2406.07524)
    CosineKeep       1 - cos(pi (1 - t) / 2): slow at the end, where little is known (MD4, Shi et al. 2024,
                     arXiv 2406.04329)
    PolynomialKeep   1 - t^power: slow at the start (MD4)
    GeometricKeep    exp(-rate), rates that grow geometrically, as in SEDD (Lou et al. 2023, arXiv
                     2310.16834); shifted and scaled by a hair, so that it begins at 1 and ends at 0
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import torch
from torch import Tensor

from unfog.errors import ConfigError, DataError
from unfog.process.base import Process
from unfog.shapes import expand_like

SHARE = (0.0, 1.0)  # what a share can be; rounding goes beyond


class Keep(ABC):
    """The probability alpha(t) that a token is still itself, with derivative and inverse; elementwise."""

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """The share of tokens kept until t, 1 at t = 0 and 0 at t = 1."""

    @abstractmethod
    def alpha_rate(self, t: Tensor) -> Tensor:
        """d alpha / d t, nowhere positive."""

    @abstractmethod
    def time(self, alpha: Tensor) -> Tensor:
        """The t at which a share of alpha, 0 to 1, is kept."""


@dataclass(frozen=True)
class LinearKeep(Keep):
    """Equal shares are lost in equal times."""

    def alpha(self, t: Tensor) -> Tensor:
        """1 - t."""
        return 1 - t

    def alpha_rate(self, t: Tensor) -> Tensor:
        """-1."""
        return -torch.ones_like(t)

    def time(self, alpha: Tensor) -> Tensor:
        """1 - alpha."""
        return 1 - alpha


@dataclass(frozen=True)
class CosineKeep(Keep):
    """Fast at the start and slow at the end: of few steps, more go to where little is known."""

    def alpha(self, t: Tensor) -> Tensor:
        """1 - cos(pi (1 - t) / 2), written with sines so that it is exact near both ends."""
        return 2 * torch.sin((1 - t) * (math.pi / 4)) ** 2

    def alpha_rate(self, t: Tensor) -> Tensor:
        """-pi/2 cos(pi t / 2), which is nowhere above 0."""
        return -math.pi / 2 * torch.cos(t * (math.pi / 2)).clamp_min(0)

    def time(self, alpha: Tensor) -> Tensor:
        """1 - 4/pi asin(sqrt(alpha / 2))."""
        return (1 - torch.asin((alpha / 2).sqrt()) * (4 / math.pi)).clamp(*SHARE)


@dataclass(frozen=True)
class PolynomialKeep(Keep):
    """Slow at the start: the share lost is a power of t.

    Attributes:
        power: 1 is ``LinearKeep``.
    """

    power: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.power < math.inf:
            raise ConfigError(f"keep.power = {self.power!r}: give a positive number, such as 2.")

    def alpha(self, t: Tensor) -> Tensor:
        """1 - t^power."""
        return 1 - t**self.power

    def alpha_rate(self, t: Tensor) -> Tensor:
        """-power t^(power - 1)."""
        return -self.power * t ** (self.power - 1)

    def time(self, alpha: Tensor) -> Tensor:
        """(1 - alpha)^(1 / power)."""
        return (1 - alpha) ** (1 / self.power)


@dataclass(frozen=True)
class GeometricKeep(Keep):
    """The logarithm of what is lost grows evenly: alpha is exp(-rate) but for its ends.

    Attributes:
        rate_min, rate_max: at t = 0 and t = 1; in between they grow geometrically.
    """

    rate_min: float = 1e-4
    rate_max: float = 20.0

    def __post_init__(self) -> None:
        if not 0 < self.rate_min < self.rate_max < math.inf:
            raise ConfigError(
                f"keep.rate_min = {self.rate_min!r} and keep.rate_max = {self.rate_max!r} lose no data: "
                "give 0 < rate_min < rate_max."
            )

    def _rate(self, t: Tensor) -> Tensor:
        return self.rate_min * (self.rate_max / self.rate_min) ** t

    def _ends(self) -> tuple[float, float]:
        return math.exp(-self.rate_min), math.exp(-self.rate_max)

    def alpha(self, t: Tensor) -> Tensor:
        """exp(-rate), moved so that it begins at 1 and ends at 0."""
        first, last = self._ends()
        return ((torch.exp(-self._rate(t)) - last) / (first - last)).clamp(*SHARE)

    def alpha_rate(self, t: Tensor) -> Tensor:
        """-rate exp(-rate) log(rate_max / rate_min), scaled likewise."""
        first, last = self._ends()
        rate = self._rate(t)
        return -rate * torch.exp(-rate) * (math.log(self.rate_max / self.rate_min) / (first - last))

    def time(self, alpha: Tensor) -> Tensor:
        """log(rate / rate_min) / log(rate_max / rate_min)."""
        first, last = self._ends()
        rate = -(last + alpha * (first - last)).log()
        return ((rate / self.rate_min).log() / math.log(self.rate_max / self.rate_min)).clamp(*SHARE)


@dataclass(frozen=True)
class DiscreteProcess(Process):
    """Loses tokens, one independently of the other.

    Attributes:
        vocabulary: K, how many tokens there are.
        keep: how long a token lasts.
    """

    vocabulary: int
    keep: Keep = field(default_factory=LinearKeep)

    def __post_init__(self) -> None:
        if self.vocabulary < 2:
            raise ConfigError(f"A vocabulary of {self.vocabulary}: give at least two tokens.")

    def share(self, t: float | Tensor, like: Tensor | None = None) -> Tensor:
        """alpha(t), float64.

        Args:
            t: times in [0, 1], a number, () or (B,).
            like: if given, the result is on its device and broadcasts against it.
        """
        alpha = self.keep.alpha(torch.as_tensor(t, dtype=torch.float64))
        return alpha if like is None else expand_like(alpha.to(like.device), like)

    def scales(self, t: float | Tensor, like: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The shares kept and lost, alpha and 1 - alpha, as ``share``: signal and noise of tokens."""
        alpha = self.share(t, like)
        return alpha, 1 - alpha

    def numbers(self, t: float | Tensor) -> tuple[float, float]:
        """The shares kept and lost at one time, as plain numbers."""
        alpha = float(self.share(t))
        return alpha, 1 - alpha

    def log_ratio(self, t: float | Tensor) -> Tensor:
        """The clock of tokens, log(alpha / (1 - alpha)), float64; infinite at the ends."""
        return torch.logit(self.share(t))


def check_tokens(x: Tensor, vocabulary: int) -> None:
    """Refuse what is no token: fractions, and numbers outside of 0..vocabulary - 1.

    Raises:
        DataError: naming the type, or the first number that does not fit.
    """
    if x.is_floating_point() or x.is_complex() or x.dtype == torch.bool:
        raise DataError(f"x holds {x.dtype}: give tokens as whole numbers, such as x.long().")
    if x.numel() and not 0 <= int(x.min()) <= int(x.max()) < vocabulary:
        wrong = int(x.min()) if int(x.min()) < 0 else int(x.max())
        raise DataError(
            f"There is no token {wrong} of the data: its tokens are numbered 0 to {vocabulary - 1}. "
            "Encode the text with the model's own codec."
        )
