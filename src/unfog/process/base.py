"""What every way of losing data has in common: corrupting a clean example, and knowing the end of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor

from unfog.errors import DataError, TimeOutOfRange
from unfog.rng import Noise


class Process(ABC):
    """A family of ever more corrupted versions x_t of the data, from t = 0 (data) to t = 1 (noise)."""

    @abstractmethod
    def corrupt(self, x: Tensor, t: Tensor, rng: Noise) -> Tensor:
        """Draw x_t given clean data x.

        Args:
            x: clean data, (B, *S).
            t: times in [0, 1], (), (B,) or more leading axes of x, such as (B, frames).
            rng: where the randomness comes from.

        Returns:
            x_t, with the shape of x.

        Raises:
            TimeOutOfRange: if any t lies outside [0, 1].
            DataError: if x is of another kind than the process knows: floating point, or tokens.
        """

    @abstractmethod
    def prior(self, shape: Sequence[int], rng: Noise, t: float | Tensor = 1.0) -> Tensor:
        """Draw x_t at a time so late that the data no longer matters, with ``shape`` (B, *S)."""


def check_times(t: Tensor) -> None:
    """Refuse times outside [0, 1].

    Raises:
        TimeOutOfRange: naming the offending values.
    """
    if bool(((t < 0) | (t > 1) | t.isnan()).any()):
        low, high = t.min().item(), t.max().item()
        raise TimeOutOfRange(f"Times from {low:g} to {high:g}: t must lie in [0, 1], 0 data, 1 noise.")


def check_floating(x: Tensor) -> None:
    """Refuse whole numbers, in which noise would be cut off; half precision is welcome.

    Raises:
        DataError: naming the type.
    """
    if not x.is_floating_point():
        raise DataError(f"x holds {x.dtype}: encode pictures with the model's codec first, or use x.float().")
