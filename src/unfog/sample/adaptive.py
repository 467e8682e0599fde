"""Dormand-Prince: the probability flow to a tolerance, in as many steps as that takes (1980).

Two solutions of orders 5 and 4 share their calls; their difference says how wrong a step is, and so how long
the next may be. Every example has its own steps: its picture does not depend on its neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from scipy.integrate import RK45
from torch import Tensor

from unfog.condition.base import Condition
from unfog.denoise.base import Denoiser
from unfog.errors import SampleError
from unfog.rng import Noise
from unfog.sample.base import Sampler, last_step, straight
from unfog.shapes import expand_like

FIRST = 0.1  # length of the first step in log sigma / alpha
SAFETY, SMALLEST, LARGEST = 0.9, 0.2, 5.0  # how boldly the length of steps follows the error


@dataclass(frozen=True)
class Adaptive(Sampler[Tensor]):
    """Steps in u = log(sigma / alpha), where y = x_t / alpha obeys dy/du = y - x.

    The grid says only where to stop by; calls depend on the tolerance and on the data. A step to t = 0, or
    from where there is no signal, is DDIM's. The error is measured for each example.

    Attributes:
        tolerance: of each step, relative to sigma / alpha + 1 (the size of y).
        limit: steps between two times of the grid after which it gives up.
    """

    tolerance: float = 1e-4
    limit: int = 1000

    order = 0
    calls = 6

    def step(
        self,
        denoiser: Denoiser,
        x_t: Tensor,
        t: Tensor,
        s: Tensor,
        cond: Condition,
        rng: Noise,
        state: Tensor | None,
    ) -> tuple[Tensor, Tensor | None]:
        """See ``Sampler.step``; the state is the length of each example's next step, (B,)."""
        process = denoiser.process
        alpha_t, alpha_s = process.numbers(t)[0], process.numbers(s)[0]
        if last_step(s) or alpha_t == 0.0:
            return straight(process, x_t, t, s, denoiser(x_t, t, cond).mean), state
        start, end = -float(process.log_ratio(t)), -float(process.log_ratio(s))
        y = x_t.double() / alpha_t
        length = (
            torch.full((len(y),), FIRST, dtype=torch.float64, device=y.device) if state is None else state
        )
        y, length = self._walk(denoiser, y, x_t.dtype, (start, end), length, cond)
        return (alpha_s * y).to(x_t.dtype), length

    def _walk(
        self,
        denoiser: Denoiser,
        y: Tensor,
        dtype: torch.dtype,
        ends: tuple[float, float],
        length: Tensor,
        cond: Condition,
    ) -> tuple[Tensor, Tensor]:
        """From one noise level to the other, each example by its own steps."""
        place, end = torch.full_like(length, ends[0]), ends[1]
        for _ in range(self.limit):
            if not bool((place > end).any()):
                return y, length
            left = place - end
            taken = torch.minimum(length, left)
            after, wrong = _attempt(denoiser, y, place, -taken, dtype, cond)
            scale = self.tolerance * (1 + torch.exp(place))
            wrong = wrong.flatten(1).square().mean(1).sqrt() / scale
            if not bool(wrong.isfinite().all()):
                return torch.full_like(y, math.nan), length  # the loop says which step it was
            right = wrong <= 1
            y = torch.where(expand_like(right, y), after, y)
            place = torch.where(right, torch.where(length < left, place - taken, end), place)
            grow = (SAFETY * wrong.clamp_min(1e-10) ** -0.2).clamp(SMALLEST, LARGEST)
            # a step cut short by the end of the way says little about how long the next may be
            length = torch.where(right & (left < length), length, taken * grow)
        raise SampleError(
            f"The adaptive sampler gave up after {self.limit} steps: a tolerance of {self.tolerance:g} is "
            "too small for this model. Try --set tolerance=0.001."
        )


def _attempt(
    denoiser: Denoiser, y: Tensor, place: Tensor, h: Tensor, dtype: torch.dtype, cond: Condition
) -> tuple[Tensor, Tensor]:
    """One step of length h (B,): the solution of fifth order, and how far it may be off, (B, *S)."""
    h_like, slopes = expand_like(h, y), list[Tensor]()
    for row, share in zip(RK45.A, RK45.C, strict=True):
        moved = sum((float(a) * k for a, k in zip(row, slopes, strict=False) if a), torch.zeros_like(y))
        slopes.append(_slope(denoiser, y + h_like * moved, place + float(share) * h, dtype, cond))
    after = y + h_like * sum((float(b) * k for b, k in zip(RK45.B, slopes, strict=True)), torch.zeros_like(y))
    slopes.append(_slope(denoiser, after, place + h, dtype, cond))
    wrong = h_like * sum((float(e) * k for e, k in zip(RK45.E, slopes, strict=True)), torch.zeros_like(y))
    return after, wrong


def _slope(denoiser: Denoiser, y: Tensor, u: Tensor, dtype: torch.dtype, cond: Condition) -> Tensor:
    """dy/du at log noise-to-signal ratios u (B,)."""
    process = denoiser.process
    t = process.schedule.time(-u)
    alpha = expand_like(process.scales(t)[0], y)
    mean: Tensor = denoiser((alpha * y).to(dtype), t, cond).mean
    return y - mean.double()
