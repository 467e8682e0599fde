"""How fast the data is lost: signal scale alpha(t) and noise scale sigma(t), for x_t = alpha x + sigma e.

Time runs from 0 (data) to 1 (noise). All schedules are the same road travelled at different speeds: what
matters is l = log(alpha / sigma), which falls monotonically from about +infinity to about -infinity. ``time``
inverts it. The names:

    VP       variance preserving, an SDE: the limit of DDPM's chain (Song et al. 2021)
    SubVP    the same loss of data with less noise (Song et al. 2021)
    Cosine   alpha = cos, sigma = sin: a quarter turn (Nichol & Dhariwal 2021, without the offset)
    VE       the data keeps its size, noise grows geometrically (NCSN; Song & Ermon 2019)
    EDM      the same with a polynomial pace (Karras et al. 2022)
    Flow     the straight line from data to noise (Lipman et al. 2023; Liu et al. 2023)

The discrete chains of DDPM are in ``chain.py``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from unfog.errors import ConfigError


class Schedule(ABC):
    """The pair alpha(t), sigma(t) with derivatives, and the clock l(t) with inverse; elementwise."""

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """How much of the data is left at t."""

    @abstractmethod
    def sigma(self, t: Tensor) -> Tensor:
        """How much noise has been added at t."""

    @abstractmethod
    def alpha_rate(self, t: Tensor) -> Tensor:
        """d alpha / d t."""

    @abstractmethod
    def sigma_rate(self, t: Tensor) -> Tensor:
        """d sigma / d t."""

    @abstractmethod
    def time(self, log_ratio: Tensor) -> Tensor:
        """The t at which log(alpha / sigma) has the given value, clipped to [0, 1]."""

    def log_ratio(self, t: Tensor) -> Tensor:
        """The clock l = log(alpha / sigma); +-infinity where there is no noise or no signal."""
        return self.alpha(t).log() - self.sigma(t).log()


def _check_rising(
    schedule: Schedule, low: str, high: str, *, constant: bool = False, zero: bool = False
) -> None:
    """Refuse options with which the signal-to-noise ratio would not fall.

    ``constant`` lets the two be equal, ``zero`` lets the lower one be 0.

    Raises:
        ConfigError: naming both options.
    """
    start, end = getattr(schedule, low), getattr(schedule, high)
    rises = start <= end if constant else start < end
    if not (rises and 0 < end < math.inf and (start > 0 or (zero and start == 0))):
        least, sign = "<=" if zero else "<", "<=" if constant else "<"
        raise ConfigError(
            f"schedule.{low} = {start!r} and schedule.{high} = {end!r} do not turn data into noise: "
            f"give 0 {least} {low} {sign} {high}."
        )


@dataclass(frozen=True)
class Cosine(Schedule):
    """A quarter turn of constant variance, alpha^2 + sigma^2 = 1."""

    def alpha(self, t: Tensor) -> Tensor:
        """cos(pi t / 2), written as a sine so that it is exactly 0 at t = 1."""
        return torch.sin((1 - t) * (math.pi / 2))

    def sigma(self, t: Tensor) -> Tensor:
        """sin(pi t / 2)."""
        return torch.sin(t * (math.pi / 2))

    def alpha_rate(self, t: Tensor) -> Tensor:
        """-pi/2 sin(pi t / 2)."""
        return -math.pi / 2 * self.sigma(t)

    def sigma_rate(self, t: Tensor) -> Tensor:
        """pi/2 cos(pi t / 2)."""
        return math.pi / 2 * self.alpha(t)

    def time(self, log_ratio: Tensor) -> Tensor:
        """2/pi atan(exp(-l))."""
        return torch.atan(torch.exp(-log_ratio)) * (2 / math.pi)


@dataclass(frozen=True)
class VP(Schedule):
    """Variance preserving diffusion with betas that grow linearly in time."""

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        _check_rising(self, "beta_min", "beta_max", constant=True)

    def _log_alpha(self, t: Tensor) -> Tensor:
        return -0.25 * t**2 * (self.beta_max - self.beta_min) - 0.5 * t * self.beta_min

    def _beta(self, t: Tensor) -> Tensor:
        return self.beta_min + t * (self.beta_max - self.beta_min)

    def alpha(self, t: Tensor) -> Tensor:
        """exp(-1/2 integral of beta)."""
        return self._log_alpha(t).exp()

    def sigma(self, t: Tensor) -> Tensor:
        """sqrt(1 - alpha^2)."""
        return (-torch.expm1(2 * self._log_alpha(t))).sqrt()

    def alpha_rate(self, t: Tensor) -> Tensor:
        """-beta alpha / 2."""
        return -0.5 * self._beta(t) * self.alpha(t)

    def sigma_rate(self, t: Tensor) -> Tensor:
        """beta alpha^2 / (2 sigma); infinite at t = 0."""
        return 0.5 * self._beta(t) * self.alpha(t) ** 2 / self.sigma(t)

    def time(self, log_ratio: Tensor) -> Tensor:
        """Solves the quadratic of the log of alpha."""
        return self.time_of(0.5 * torch.nn.functional.logsigmoid(2 * log_ratio))

    def time_of(self, log_alpha: Tensor) -> Tensor:
        """The t at which log(alpha) has the given value, clipped to [0, 1]."""
        slope = self.beta_max - self.beta_min
        root = (self.beta_min**2 - 4 * slope * log_alpha).sqrt()
        # the textbook root, rationalised: no cancellation where alpha is almost 1
        return (-4 * log_alpha / (self.beta_min + root)).clamp(0, 1)


@dataclass(frozen=True)
class SubVP(Schedule):
    """The data is lost as in VP, but with less noise, sigma = 1 - alpha^2; made for likelihoods."""

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        _check_rising(self, "beta_min", "beta_max", constant=True)

    @property
    def _vp(self) -> VP:
        return VP(self.beta_min, self.beta_max)

    def alpha(self, t: Tensor) -> Tensor:
        """That of VP."""
        return self._vp.alpha(t)

    def sigma(self, t: Tensor) -> Tensor:
        """1 - alpha^2, the square of VP's."""
        return self._vp.sigma(t) ** 2

    def alpha_rate(self, t: Tensor) -> Tensor:
        """That of VP."""
        return self._vp.alpha_rate(t)

    def sigma_rate(self, t: Tensor) -> Tensor:
        """-2 alpha alpha'."""
        return -2 * self.alpha(t) * self.alpha_rate(t)

    def time(self, log_ratio: Tensor) -> Tensor:
        """From log(alpha) = -asinh(exp(-l) / 2)."""
        return self._vp.time_of(-torch.asinh(torch.exp(-log_ratio) / 2))


@dataclass(frozen=True)
class VE(Schedule):
    """Variance exploding: alpha is 1 and sigma grows geometrically, also a little above 0 at t = 0."""

    sigma_min: float = 0.002
    sigma_max: float = 80.0

    def __post_init__(self) -> None:
        _check_rising(self, "sigma_min", "sigma_max")

    def alpha(self, t: Tensor) -> Tensor:
        """1 at all times."""
        return torch.ones_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        """sigma_min (sigma_max / sigma_min)^t."""
        return self.sigma_min * (self.sigma_max / self.sigma_min) ** t

    def alpha_rate(self, t: Tensor) -> Tensor:
        """0 at all times."""
        return torch.zeros_like(t)

    def sigma_rate(self, t: Tensor) -> Tensor:
        """sigma log(sigma_max / sigma_min)."""
        return self.sigma(t) * math.log(self.sigma_max / self.sigma_min)

    def time(self, log_ratio: Tensor) -> Tensor:
        """Linear in l."""
        span = math.log(self.sigma_max / self.sigma_min)
        return ((-log_ratio - math.log(self.sigma_min)) / span).clamp(0, 1)


@dataclass(frozen=True)
class EDM(Schedule):
    """alpha is 1 and the rho-th root of sigma grows linearly, which spends more time at low noise."""

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    rho: float = 7.0

    def __post_init__(self) -> None:
        _check_rising(self, "sigma_min", "sigma_max", zero=True)
        if not 0 < self.rho < math.inf:
            raise ConfigError(f"schedule.rho = {self.rho}: give a number above 0, such as 7.")

    def _root(self, t: Tensor) -> Tensor:
        low, high = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        root: Tensor = low + t * (high - low)
        return root

    def alpha(self, t: Tensor) -> Tensor:
        """1 at all times."""
        return torch.ones_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        """(sigma_min^(1/rho) + t (sigma_max^(1/rho) - sigma_min^(1/rho)))^rho."""
        sigma: Tensor = self._root(t) ** self.rho
        return sigma

    def alpha_rate(self, t: Tensor) -> Tensor:
        """0 at all times."""
        return torch.zeros_like(t)

    def sigma_rate(self, t: Tensor) -> Tensor:
        """rho root^(rho - 1) times the slope of the root."""
        slope = self.sigma_max ** (1 / self.rho) - self.sigma_min ** (1 / self.rho)
        rate: Tensor = self.rho * self._root(t) ** (self.rho - 1) * slope
        return rate

    def time(self, log_ratio: Tensor) -> Tensor:
        """Linear in the rho-th root of exp(-l)."""
        low, high = self.sigma_min ** (1 / self.rho), self.sigma_max ** (1 / self.rho)
        time: Tensor = (torch.exp(-log_ratio / self.rho) - low) / (high - low)
        return time.clamp(0, 1)


@dataclass(frozen=True)
class Flow(Schedule):
    """The straight line, alpha = 1 - t and sigma = t, as in flow matching and rectified flow."""

    def alpha(self, t: Tensor) -> Tensor:
        """1 - t."""
        return 1 - t

    def sigma(self, t: Tensor) -> Tensor:
        """t."""
        return t.clone()

    def alpha_rate(self, t: Tensor) -> Tensor:
        """-1."""
        return -torch.ones_like(t)

    def sigma_rate(self, t: Tensor) -> Tensor:
        """1."""
        return torch.ones_like(t)

    def time(self, log_ratio: Tensor) -> Tensor:
        """1 / (1 + exp(l))."""
        return torch.sigmoid(-log_ratio)
