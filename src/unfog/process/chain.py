"""Discrete chains: beta_n of step n replaces that share of the variance by fresh noise (Ho et al. 2020).

A chain of N steps is a table of alpha after 0, 1, ..., N steps, the square root of alpha-bar. Step n ends at
t = n / N, and log alpha is linear between these points: whatever walks in continuous time can use a chain
too. The names:

    DDPM         1,000 betas that grow linearly (Ho et al. 2020, arXiv 2006.11239)
    DDPMCosine   betas that make alpha-bar a squared cosine (Nichol & Dhariwal 2021, arXiv 2102.09672)

Both end with a trace of the data left, which a sampler that starts from pure noise never had in its hands:
very dark and very bright pictures come out grey. With ``zero_terminal`` alpha is shifted and scaled until
the last one is 0 (Lin et al. 2023, arXiv 2305.08891, algorithm 1); the last step is then linear in alpha, as
the logarithm of 0 is infinite. There the noise says nothing about the data: predict ``v`` or ``data``.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from unfog.errors import ConfigError
from unfog.process.schedule import Schedule


class Chain(Schedule):
    """A schedule given by the betas of its steps; alpha^2 + sigma^2 = 1.

    Attributes:
        steps: how many.
        zero_terminal: whether nothing of the data is left after the last one.
    """

    steps: int
    zero_terminal: bool

    @abstractmethod
    def betas(self) -> Tensor:
        """The share of the variance that each step replaces by noise, in (0, 1), (steps,), float64."""

    def _check_steps(self) -> None:
        """Refuse a number of steps that makes no chain.

        Raises:
            ConfigError: saying what fits.
        """
        if not isinstance(self.steps, int) or self.steps < 2:
            raise ConfigError(f"schedule.steps = {self.steps!r}: give a whole number from 2, such as 1000.")
        if not isinstance(self.zero_terminal, bool):
            raise ConfigError(f"schedule.zero_terminal = {self.zero_terminal!r}: give true or false.")

    def _place(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The logarithm of a factor of alpha at t, its slope there, and what is left of the last step.

        The last one is 1 everywhere but in the last step of a chain that ends without data, where it falls
        linearly to 0; alpha is exp(logarithm) times that.
        """
        table = _log_alphas(self).to(t.device)
        place = t.double() * self.steps
        left = place.floor().clamp(0, self.steps - 1).long()
        slope = table[left + 1] - table[left]
        rest = torch.where(self._ends(left), 1 - (place - left), 1.0)
        log_alpha = table[left] + (place - left) * slope
        return log_alpha.to(t.dtype), (slope * self.steps).to(t.dtype), rest.to(t.dtype)

    def _ends(self, left: Tensor) -> Tensor:
        """Whether the step from point ``left`` loses all data that there still is."""
        return (left == self.steps - 1) & self.zero_terminal

    def alpha(self, t: Tensor) -> Tensor:
        """The square root of alpha-bar, the product of the 1 - beta so far."""
        log_alpha, _, rest = self._place(t)
        return log_alpha.exp() * rest

    def sigma(self, t: Tensor) -> Tensor:
        """sqrt(1 - alpha^2)."""
        log_alpha, _, rest = self._place(t)
        # abs: a minus would make it -0 at t = 0
        return torch.expm1(2 * (log_alpha + rest.log())).abs().sqrt()

    def alpha_rate(self, t: Tensor) -> Tensor:
        """alpha times the slope of its logarithm; in a last step that is linear, the slope of alpha."""
        log_alpha, slope, _ = self._place(t)
        ends = self._ends((t.double() * self.steps).floor().clamp_max(self.steps - 1))
        return log_alpha.exp() * torch.where(ends, -float(self.steps), slope)

    def sigma_rate(self, t: Tensor) -> Tensor:
        """-alpha alpha' / sigma; infinite at t = 0."""
        return -self.alpha(t) * self.alpha_rate(t) / self.sigma(t)

    def time(self, log_ratio: Tensor) -> Tensor:
        """Finds the step, then its point."""
        table = _log_alphas(self).to(log_ratio.device)
        log_alpha = 0.5 * torch.nn.functional.logsigmoid(2 * log_ratio.double())
        right = torch.searchsorted(-table, -log_alpha).clamp(1, self.steps)
        straight = (log_alpha - table[right - 1]) / (table[right] - table[right - 1])
        last = -torch.expm1(log_alpha - table[right - 1])
        step = torch.where(self._ends(right - 1), last, straight)
        return ((right - 1 + step) / self.steps).clamp(0, 1).to(log_ratio.dtype)


@lru_cache(maxsize=8)
def _log_alphas(chain: Chain) -> Tensor:
    """Log of alpha after 0, 1, ..., steps steps, (steps + 1,), float64.

    Of a chain that ends without data, the last is that of the point before: the rest of it is linear.
    """
    table = torch.cat([torch.zeros(1, dtype=torch.float64), 0.5 * torch.log1p(-chain.betas()).cumsum(0)])
    if not chain.zero_terminal:
        return table
    alpha = table.exp()
    # the first step keeps its alpha, the last loses it; nothing has happened before the first
    alpha[1:] = (alpha[1:] - alpha[-1]) * (alpha[1] / (alpha[1] - alpha[-1]))
    return torch.cat([alpha[:-1].log(), alpha[-2:-1].log()])


@dataclass(frozen=True)
class DDPM(Chain):
    """The published chain: beta_n linear in n."""

    steps: int = 1000
    beta_first: float = 1e-4
    beta_last: float = 0.02
    zero_terminal: bool = False

    def __post_init__(self) -> None:
        self._check_steps()
        for name in ("beta_first", "beta_last"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(
                    f"schedule.{name} = {getattr(self, name)}: a beta lies between 0 and 1, neither included."
                )

    def betas(self) -> Tensor:
        """From ``beta_first`` to ``beta_last`` in equal steps."""
        return torch.linspace(self.beta_first, self.beta_last, self.steps, dtype=torch.float64)


@dataclass(frozen=True)
class DDPMCosine(Chain):
    """alpha-bar follows a squared cosine, so the data is lost more evenly than with linear betas.

    Attributes:
        steps: how many.
        offset: s of the paper; keeps the first betas from being too small to matter.
        largest: where betas are cut, so that the last step is not singular.
        zero_terminal: whether nothing of the data is left after the last step.
    """

    steps: int = 1000
    offset: float = 0.008
    largest: float = 0.999
    zero_terminal: bool = False

    def __post_init__(self) -> None:
        self._check_steps()
        if not 0 <= self.offset < math.inf:
            raise ConfigError(f"schedule.offset = {self.offset}: give 0 or a small positive number, 0.008.")
        if not 0 < self.largest < 1:
            raise ConfigError(
                f"schedule.largest = {self.largest}: a beta lies between 0 and 1, neither included; 0.999."
            )

    def betas(self) -> Tensor:
        """1 - f(n) / f(n - 1) with f(n) = cos^2(pi/2 (n / steps + s) / (1 + s)), cut at ``largest``."""
        place = torch.arange(self.steps + 1, dtype=torch.float64) / self.steps
        bar = torch.cos((place + self.offset) / (1 + self.offset) * (math.pi / 2)) ** 2
        return (1 - bar[1:] / bar[:-1]).clamp_max(self.largest)
