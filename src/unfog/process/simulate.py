"""The forward SDE, step by step: dx = f(t) x dt + g(t) dw (Song et al. 2021, arXiv 2011.13456, section 3).

Nobody needs it to train, because the kernel x_t = alpha x + sigma e says at once where it ends. It is here to
be looked at, and to check that the kernel and the SDE are the same process.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor

from unfog.process.gaussian import GaussianProcess
from unfog.rng import Noise


def simulate(process: GaussianProcess, x: Tensor, times: Tensor, rng: Noise) -> Iterator[Tensor]:
    """Follow the forward SDE by Euler-Maruyama, with drift and diffusion taken at the middle of each step.

    Args:
        process: gives drift and diffusion.
        x: where the path begins, at ``times[0]``, (B, *S).
        times: rising, (N + 1,), float64; away from ends where drift or diffusion are infinite.
        rng: of the increments of w.

    Yields:
        x at ``times[1]``, ``times[2]``, ..., (B, *S).
    """
    for t, later in pairwise(times):
        drift, diffusion = process.drift_and_diffusion((t + later) / 2)
        step = later - t
        x = x + drift * step * x + diffusion * step.sqrt() * rng.normal(x.shape, like=x)
        yield x
