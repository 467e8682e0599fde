"""A measured number with its interval, or the reason why it could not be measured.

All intervals of this room are meant to hold 95 % of the time. What varies is which pictures happened to be
drawn; the judge (the feature space) and the training pictures are the same for every picture set compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Z95 = 1.959964
"""Half-width of a 95 % interval in standard errors, for many observations."""


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        value: the estimate; None when it could not be computed.
        low: lower end of the 95 % interval; None when there is no value, or no way to tell.
        high: upper end of the 95 % interval.
        n: pictures it was computed from.
        why: the reason for a missing value, in words; empty otherwise.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    why: str = ""

    @classmethod
    def of(
        cls, value: float, interval: tuple[float, float] | None, n: int, floor: float = -math.inf
    ) -> Figure:
        """A figure from an estimate and its interval; never NaN or infinite, never below ``floor``."""
        if not math.isfinite(value):
            return cls.missing("the features of these pictures are not finite numbers", n)
        value = max(value, floor)
        if interval is None or not all(map(math.isfinite, interval)):
            return cls(float(value), None, None, n)
        low, high = min(interval[0], value), max(interval[1], value)
        return cls(float(value), float(max(low, floor)), float(high), n)

    @classmethod
    def missing(cls, why: str, n: int = 0) -> Figure:
        """A figure that cannot be computed, and why."""
        return cls(None, None, None, n, why)

    def to_dict(self) -> dict[str, float | int | str | None]:
        """JSON-ready: value, low, high, n, and ``why`` only where the value is missing."""
        body: dict[str, float | int | str | None] = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
        }
        return body | ({"why": self.why} if self.why else {})

    def cell(self, percent: bool = False) -> str:
        """The value with its interval, for a table: of a share in percent; "-" where it is missing."""
        if self.value is None:
            return "-"
        scale, unit = (100, " %") if percent else (1, "")
        text = f"{self.value * scale:.4g}{unit}"
        if self.low is None or self.high is None:
            return text
        return f"{text} ({self.low * scale:.4g} to {self.high * scale:.4g})"

    def __str__(self) -> str:
        if self.value is None:
            return f"- ({self.why})"
        if self.low is None or self.high is None:
            return f"{self.value:.4g}"
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


def share(hits: NDArray[np.bool_]) -> Figure:
    """The share of True among (n,) independent yes/no answers, with Wilson's interval.

    Wilson 1927. It stays inside 0..1 and has a width even when all answers agree.
    """
    n = len(hits)
    if n == 0:
        return Figure.missing("there is nothing to count")
    return Figure.of(float(hits.mean()), wilson(float(hits.mean()), n), n)


def wilson(value: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share ``value`` (0..1) among ``n`` answers."""
    denominator = 1 + Z95**2 / n
    centre = (value + Z95**2 / (2 * n)) / denominator
    half = Z95 / denominator * math.sqrt(max(value * (1 - value), 0.0) / n + Z95**2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def average(values: NDArray[np.float64]) -> Figure:
    """The mean of (n,) independent numbers, with Student's interval (none for fewer than two numbers)."""
    n = len(values)
    if n == 0:
        return Figure.missing("there is nothing to average")
    mean = float(values.mean())
    if n == 1:
        return Figure.of(mean, None, n)
    half = student(n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    return Figure.of(mean, (mean - half, mean + half), n)


def jackknife(value: float, left_out: NDArray[np.float64]) -> tuple[float, float]:
    """The interval of an estimate from the same estimate with each of G equal groups left out, (G,).

    Delete-a-group jackknife (Shao and Tu 1995, section 2.3). Unlike the bootstrap it repeats no picture,
    which matters where distances to the nearest picture are compared.
    """
    groups = len(left_out)
    error = math.sqrt((groups - 1) / groups * float(((left_out - left_out.mean()) ** 2).sum()))
    half = student(groups - 1) * error
    return value - half, value + half


def student(freedom: int) -> float:
    """Half-width of a 95 % interval in standard errors, for ``freedom`` degrees of freedom."""
    return float(stdtrit(freedom, 0.975))
