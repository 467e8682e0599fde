"""Returning from noise to data: one loop for every sampler.

A sampler knows two things only, the clean estimate and the clock l = log(alpha / sigma). That is why one
implementation serves every schedule. Its memory, if it has any, is handed in and handed back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Generic

import torch
from torch import Tensor
from typing_extensions import TypeVar

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser, GaussianPosterior, Posterior
from unfog.errors import SampleError, WrongPosterior
from unfog.process.base import Process
from unfog.process.gaussian import GaussianProcess
from unfog.rng import Noise

State = TypeVar("State")
DenoiserT = TypeVar("DenoiserT", bound=Denoiser[Any, Any], contravariant=True, default=Denoiser)


class Sampler(ABC, Generic[State, DenoiserT]):
    """One step from x_t to x_s.

    Attributes:
        order: the error shrinks as (step size)^order on smooth problems; of the mean, for stochastic
            samplers. 0 where a tolerance decides, and not the steps.
        steps_on: the kind of posterior that it understands.
        stochastic: whether it adds noise on the way, as it is by default.
        calls: network calls per step, except where a step ends at t = 0; at least, where a tolerance decides.
    """

    order: ClassVar[int]
    steps_on: ClassVar[type[Posterior]] = GaussianPosterior
    stochastic: ClassVar[bool] = False
    calls: ClassVar[int] = 1

    @abstractmethod
    def step(
        self,
        denoiser: DenoiserT,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: State | None,
    ) -> tuple[Tensor, State | None]:
        """Go from t to s < t.

        Args:
            denoiser: estimates the clean data.
            x_t: (B, *S).
            t, s: times, (), float64.
            cond: what steers the denoiser.
            rng: noise for stochastic samplers.
            state: what the previous step returned, None at the first.

        Returns:
            x_s, (B, *S), and the state for the next step.
        """

    def check(self, process: Process, steps: int) -> None:
        """Refuse a number of steps that does not fit the process; any fits most samplers.

        Raises:
            SampleError: saying what fits.
        """


@dataclass(frozen=True)
class Step:
    """One step of a trajectory.

    Attributes:
        index: 0, 1, ...
        t, s: the times it went from and to.
        x_t, x_s: before and after, (B, *S).
        clean: the estimate of the clean data at t, (B, *S).
    """

    index: int
    t: float
    s: float
    x_t: Tensor
    x_s: Tensor
    clean: Tensor


class _Watched(Denoiser[Any, Any]):
    """Remembers the first clean estimate of each step, so that previews and films cost no network call."""

    def __init__(self, denoiser: Denoiser[Any, Any], sampler: Sampler[Any, Any]) -> None:
        super().__init__()
        self.inner, self.process, self.sampler = denoiser, denoiser.process, sampler
        self.first: Tensor | None = None

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> Posterior:
        posterior: Posterior = self.inner(x_t, t, cond)
        if not isinstance(posterior, self.sampler.steps_on):
            raise WrongPosterior(
                f"{type(self.sampler).__name__} steps on a {self.sampler.steps_on.__name__}, this denoiser "
                f"gives a {type(posterior).__name__}. Take a sampler for that kind of data."
            )
        if self.first is None:
            self.first = posterior.guess
        return posterior


def trajectory(
    denoiser: DenoiserT,
    sampler: Sampler[State, DenoiserT],
    grid: Tensor,
    x_T: Tensor,
    cond: Condition = NONE,
    *,
    rng: Noise,
) -> Iterator[Step]:
    """Walk from noise to data, one ``Step`` at a time.

    Args:
        denoiser: the model, guided or not.
        sampler: how to step.
        grid: times (N + 1,) that fall strictly from the start to the end, usually 0; see ``sample.grid``.
        x_T: noise at ``grid[0]``, (B, *S), from ``process.prior``.
        cond: what steers the denoiser.
        rng: one stream per example.

    Raises:
        SampleError: if the grid does not fall or fit, the batch is empty, or the network returns NaN.
        WrongPosterior: if the sampler steps on another kind of posterior than the denoiser gives.
    """
    check_grid(grid)
    sampler.check(denoiser.process, len(grid) - 1)
    if x_T.shape[0] == 0:
        raise SampleError("An empty batch: ask for at least one example.")
    watched: Any = _Watched(denoiser, sampler)
    x, state = x_T, None
    for index, (t, s) in enumerate(pairwise(grid)):
        watched.first = None
        x_s, state = sampler.step(watched, x, t, s, cond, rng, state)
        if not bool(torch.isfinite(x_s).all()):
            raise SampleError(
                f"Step {index + 1} of {len(grid) - 1} (t = {float(t):.3g}) gave NaN or infinity. "
                "The model may be damaged or was trained to divergence; try an earlier checkpoint."
            )
        clean = x_s if watched.first is None else watched.first
        yield Step(index, float(t), float(s), x, x_s, clean)
        x = x_s


def straight(process: GaussianProcess, x_t: Tensor, t: Tensor, s: Tensor, mean: Tensor) -> Tensor:
    """Go from t to s with the clean estimate held: DDIM's step, and what all others fall back to at the ends.

    It is exact where the estimate does not change, and needs neither a finite clock nor signal at t.
    """
    (alpha_t, sigma_t), (alpha_s, sigma_s) = process.numbers(t), process.numbers(s)
    keep = sigma_s / sigma_t
    return torch.add(keep * x_t, mean, alpha=alpha_s - keep * alpha_t)


def check_grid(grid: Tensor) -> None:
    """Refuse a grid of times that does not fall strictly within [0, 1].

    Raises:
        SampleError: saying what a grid looks like.
    """
    if grid.ndim != 1 or len(grid) < 2:
        raise SampleError("A time grid needs at least two times, that is one step. Try --steps 12.")
    if not bool((grid.diff() < 0).all()) or float(grid[0]) > 1 or float(grid[-1]) < 0:
        raise SampleError("A time grid must fall strictly from at most 1 (noise) to at least 0 (data).")


def last_step(s: Tensor) -> bool:
    """Whether s is the end: what noise a schedule keeps there counts as none, there is nothing to correct."""
    return float(s) == 0.0
