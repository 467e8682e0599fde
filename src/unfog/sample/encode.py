"""The way up: which noise would have become this picture?

The probability flow has no randomness, so it can be walked in both directions. Encoding finds the one noise
that a deterministic sampler turns into the given data; mixing two such noises and walking down again gives
pictures in between (Song et al. 2021, arXiv 2010.02502, section 5.3; 2011.13456, section 4.3).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from unfog.condition.base import NONE, Condition
from unfog.denoise.base import Denoiser
from unfog.rng import Noise
from unfog.sample.base import check_grid
from unfog.sample.heun import Heun


def encode(denoiser: Denoiser, x: Tensor, grid: Tensor, cond: Condition = NONE) -> Tensor:
    """The noise at the beginning of the grid from which the probability flow leads to x.

    Args:
        denoiser: the model, without guidance: guided flows do not end in a normal law.
        x: clean data, (B, *S).
        grid: times for sampling, falling; walked backwards. Its last step, to t = 0, is skipped: x counts as
            the data at the lowest noise level.
        cond: what x is steered by.

    Returns:
        Noise of about unit variance, (B, *S): start from ``sigma(grid[0])`` times it.

    Raises:
        SampleError: if the grid does not fall.
    """
    check_grid(grid)
    times = grid[grid > 0].flip(0)
    x = denoiser.process.scales(times[0], like=x)[0] * x
    for t, s in pairwise(times):
        x, _ = Heun().step(denoiser, x, t, s, cond, Noise(0), None)
    return x / denoiser.process.scales(times[-1], like=x)[1]


def between(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Noise on the great circle from a to b, both (B, *S): its length stays that of noise (Shoemake 1985).

    Args:
        a, b: noises.
        share: 0 is a, 1 is b.
    """
    flat_a, flat_b = a.flatten(1), b.flatten(1)
    unit_a, unit_b = (torch.nn.functional.normalize(flat) for flat in (flat_a, flat_b))
    # half the angle by its sides: exact also where both point the same way
    half = torch.atan2((unit_a - unit_b).norm(dim=1), (unit_a + unit_b).norm(dim=1))

    def weight(part: float) -> Tensor:
        """sin(part * angle) / sin(angle), and ``part`` where the angle is 0; torch's sinc has a pi in it."""
        turn = 2 * half[:, None] / math.pi
        return part * torch.sinc(part * turn) / torch.sinc(turn)

    return (weight(1 - share) * flat_a + weight(share) * flat_b).view_as(a)
