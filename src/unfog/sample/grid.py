"""Where to step: times from noise to data. Spacing matters most when steps are few.

All grids start at the noise level ``start`` (sigma / alpha), walk down to ``end``, and finish at t = 0;
schedules that begin or end elsewhere are clipped to what they have. Data has standard deviation 1, so 0.02 is
invisible and 20 drowns everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from unfog.errors import SampleError
from unfog.process.gaussian import GaussianProcess

Grid = Callable[[GaussianProcess, int, float, float], Tensor]

START, END = 80.0, 0.01  # noise-to-signal ratios
SHIFT = 3.0  # as Stable Diffusion 3 has it


def uniform(process: GaussianProcess, steps: int, start: float = START, end: float = END) -> Tensor:
    """Equal steps of t, from the start's time to 0, (steps + 1,); ``end`` plays no role."""
    _check_steps(steps)
    return torch.linspace(1, 0, steps + 1, dtype=torch.float64) * _time_of(process, start)


def quadratic(process: GaussianProcess, steps: int, start: float = START, end: float = END) -> Tensor:
    """Equal steps of the root of t, from the start's time to 0, (steps + 1,); ``end`` plays no role.

    DDIM's grid for few steps (Song et al. 2021, arXiv 2010.02502, appendix D.2).
    """
    _check_steps(steps)
    return torch.linspace(1, 0, steps + 1, dtype=torch.float64) ** 2 * _time_of(process, start)


def shifted(process: GaussianProcess, steps: int, start: float = START, end: float = END) -> Tensor:
    """Equal steps of flow time with three times the noise, (steps + 1,); ``end`` plays no role.

    The noise-to-signal ratio is 3 u / (1 - u) for equal steps of u down to 0 (Esser et al. 2024, arXiv
    2403.03206, section 5.3.2): larger pictures take more noise to hide.
    """
    _check_steps(steps)
    u = torch.linspace(start / (SHIFT + start), 0, steps + 1, dtype=torch.float64)[:-1]
    return _finish(process, (1 / u - 1).log() - math.log(SHIFT))


def log_snr(process: GaussianProcess, steps: int, start: float = START, end: float = END) -> Tensor:
    """Equal steps of l = log(alpha / sigma), then a last one to t = 0, (steps + 1,).

    The noise falls geometrically: k-diffusion and diffusers call this grid exponential, NCSN a ladder.
    """
    _check_steps(steps)
    clock = torch.linspace(-math.log(start), -math.log(end), steps, dtype=torch.float64)
    return _finish(process, clock)


def karras(process: GaussianProcess, steps: int, start: float = START, end: float = END) -> Tensor:
    """Equal steps of the 7th root of sigma / alpha, then one to t = 0, (steps + 1,) (Karras et al. 2022)."""
    _check_steps(steps)
    rho = 7.0
    root = torch.linspace(start ** (1 / rho), end ** (1 / rho), steps, dtype=torch.float64)
    return _finish(process, -rho * root.log())


def through(levels: Sequence[float]) -> Grid:
    """The grid through given noise-to-signal ratios, falling, then to t = 0: learned, not laid out.

    Raises:
        SampleError: if they do not fall, or are not as many as the steps asked for.
    """

    def grid(process: GaussianProcess, steps: int, start: float = START, end: float = END) -> Tensor:
        _check_steps(steps)
        if len(levels) != steps:
            known = (
                f"was learned for {len(levels)} steps, not {steps}" if levels else "has to be learned first"
            )
            raise SampleError(f"The optimised grid {known}: unfog steps MODEL --optimise {steps}")
        return _finish(process, -torch.tensor(levels, dtype=torch.float64).log())

    return grid


def _finish(process: GaussianProcess, clock: Tensor) -> Tensor:
    times = process.schedule.time(clock)
    # a schedule that does not reach as far in noise repeats its last time: keep one of each
    keep = torch.cat([torch.ones(1, dtype=torch.bool), times.diff() < 0])
    times = times[keep & (times > 0)]
    return torch.cat([times, torch.zeros(1, dtype=torch.float64)])


def _time_of(process: GaussianProcess, ratio: float) -> float:
    return float(process.schedule.time(torch.tensor(-math.log(ratio), dtype=torch.float64)))


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise SampleError(f"{steps} steps: sampling needs at least one. Try --steps 12.")
