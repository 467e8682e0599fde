"""Densities and the bound against closed forms."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from unfog.denoise import ExactGaussian, ExactMixture
from unfog.evaluate.likelihood import density_bound, log_density
from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.verify.check import Impulses, Result, error, process_of

LOW, HIGH = 3e-3, 70.0  # noise-to-signal ratios within reach of every schedule


def density_of_gaussian() -> Iterator[Result]:
    """Three independent coordinates of different width and mean, on every schedule.

    The end of the walk counts as noise around 0, which costs up to a hundredth for these means.
    """
    x = Noise(1).normal((6, 3)).double()
    mean, std = torch.tensor([[0.3, -0.2, 0.1], [0.5, 1.0, 1.4]], dtype=torch.float64)
    for schedule in SCHEDULES:
        exact = ExactGaussian(process_of(schedule), mean, std)
        yield error(schedule, log_density(exact, x, low=LOW, high=HIGH).nats, exact.log_density(x), 3e-2)


def density_of_mixture() -> Iterator[Result]:
    """Three modes in two dimensions, among them a point that no mode explains."""
    process = process_of("cosine")
    means = torch.tensor([[-1.0, 0.5], [1.0, -0.5], [0.0, 0.0]], dtype=torch.float64)
    mixture = ExactMixture(process, means, 0.3, torch.tensor([0.5, 0.3, 0.2]).double())
    x = torch.cat([mixture.draw(5, Noise(1)), torch.tensor([[3.0, 3.0]], dtype=torch.float64)])
    found = log_density(mixture, x, low=1e-3, high=1e3, tolerance=1e-7)
    yield error("cosine", found.nats, mixture.log_density(x), 3e-3)
    times = torch.linspace(0.1, 0.9, len(x), dtype=torch.float64)
    alone = torch.cat([mixture(each[None], t).mean for each, t in zip(x, times, strict=True)])
    yield error("a time for each example", mixture(x, times).mean, alone, 1e-9)
    one = ExactMixture(process, means[:1], 0.3).draw(2, Impulses(first=1))
    yield error("noise is added", one, means[:1] + torch.tensor([[0.0], [0.3]]).to(means), 1e-6)
    nearest = torch.cdist(mixture.draw(4000, Noise(2)), means).argmin(1)
    shares = torch.bincount(nearest, minlength=3) / 4000
    wanted = torch.tensor([0.491, 0.297, 0.212])  # 3.1 % of a mode lie beyond the middle between neighbours
    yield error("shares of the modes", shares, wanted, 0.03)


def bound_is_entropy() -> Iterator[Result]:
    """With the exact denoiser the bound loses nothing: five standard errors of 4,000 examples."""
    entropy = 0.5 * math.log(2 * math.pi * math.e * 0.8**2)
    for schedule in SCHEDULES:
        x = 0.8 * Noise(7).normal((4000, 1)).double()
        found = density_bound(
            ExactGaussian(process_of(schedule), 0.0, 0.8), x, low=LOW, high=HIGH, levels=128, rng=Noise(3)
        )
        limit = 5 * float(found.std()) / 4000**0.5 + 2e-3
        yield Result(schedule, abs(float(-found.mean()) - entropy), 0.0, limit, "difference in nats")
