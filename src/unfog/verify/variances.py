"""The variance of the reverse step, and the bound of the chain that depends on it, for Gaussian data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from unfog.condition import NONE, Condition
from unfog.denoise import Denoiser, ExactGaussian, GaussianPosterior
from unfog.denoise.variance import best_fraction, gain, log_extremes
from unfog.evaluate.bound import chain_bound
from unfog.process import GaussianProcess
from unfog.rng import Noise
from unfog.sample import DDPM
from unfog.verify.check import STD, Impulses, Result, end_of, error, process_of, schedules, slope

LOW, HIGH = 0.011, 70.0  # noise-to-signal ratios within reach of every schedule


def levels(process: GaussianProcess, steps: int) -> Tensor:
    """The points of a chain of equal steps in the clock, (steps + 1,)."""
    clock = torch.linspace(-math.log(HIGH), -math.log(LOW), steps + 1, dtype=torch.float64)
    return process.schedule.time(clock)


def unknown(process: GaussianProcess, t: Tensor, std: float) -> Tensor:
    """Var(x | x_t) for Gaussian data."""
    alpha, sigma = process.scales(t)
    return std**2 * sigma**2 / (alpha**2 * std**2 + sigma**2)


class KnowsVariance(Denoiser):
    """The exact denoiser of centred Gaussian data that also says the variance of every step of a chain.

    Args:
        process: the Gaussian process.
        std: of the data.
        times: of the chain, (T + 1,), falling.
    """

    def __init__(self, process: GaussianProcess, std: float, times: Tensor) -> None:
        super().__init__()
        self.process, self.std, self.exact = process, std, ExactGaussian(process, 0.0, std)
        self.after = {float(t): s for t, s in pairwise(times)}

    def forward(self, x_t: Tensor, t: Tensor, cond: Condition = NONE) -> GaussianPosterior:
        """See ``Denoiser.forward``."""
        s, known = self.after[float(t)], self.exact(x_t, t)
        extremes, gained = log_extremes(self.process, t, s), gain(self.process, t, s)
        fraction = best_fraction(unknown(self.process, t, self.std), extremes, gained)
        return GaussianPosterior(
            known.mean, x_t, known.alpha, known.sigma, fraction.to(x_t).expand(x_t.shape)
        )


def variances_of_steps() -> Iterator[Result]:
    """What the sampler draws is Var(x_s | x_t): known data, standard normal data, and data in between."""
    unit = torch.zeros(1, 1, dtype=torch.float64)
    for name in schedules():
        process = process_of(name)
        for t, s in pairwise(levels(process, 6)):
            (alpha_t, sigma_t), (alpha_s, sigma_s) = process.scales(t), process.scales(s)
            truth, found, grid = [], [], torch.stack([t, s])
            for variance, std in (("posterior", 0.0), ("forward", 1.0), ("learned", STD)):
                before, after = alpha_t**2 * std**2 + sigma_t**2, alpha_s**2 * std**2 + sigma_s**2
                shared = alpha_t * alpha_s * std**2 + sigma_s**2 * alpha_t / alpha_s
                truth.append(after - shared**2 / before)
                denoiser = KnowsVariance(process, std, grid)
                found.append(end_of(denoiser, DDPM(variance=variance), grid, unit, Impulses(0)).square())
            relative = torch.cat(found).flatten() / torch.stack(truth) - 1
            yield error(f"{name}, to {float(sigma_s / alpha_s):.2g}", relative, 0 * relative, 1e-9)


class _Corners(Noise):
    """Noise of one standard deviation, up and down: with such data too, all second moments are exact."""

    def normal(self, shape: Sequence[int], like: Tensor | None = None) -> Tensor:
        """(4, 1), in the type of ``like``."""
        return torch.tensor([[1.0], [-1.0], [1.0], [-1.0]], dtype=torch.float64)


def excess(process: GaussianProcess, steps: int, fraction: float | None) -> float:
    """By how many nats the bound of a chain is above the entropy of data from N(0, STD^2), exactly."""
    x, times = STD * torch.tensor([[1.0], [1.0], [-1.0], [-1.0]], dtype=torch.float64), levels(process, steps)
    found = chain_bound(
        KnowsVariance(process, STD, times), x, times=times, fraction=fraction, rng=_Corners(0)
    )
    return float(-found.mean()) - 0.5 * math.log(2 * math.pi * math.e * STD**2)


def bound_of_chain() -> Iterator[Result]:
    """With the best variance the bound is the entropy; with a fixed one it gets there with many steps."""
    counts = (10, 30, 90)
    for name in schedules():
        process = process_of(name)
        yield Result(
            f"{name}, best", abs(excess(process, counts[0], None)), 0.0, 3e-4, "nats above the entropy"
        )
        for kind, fraction in (("posterior", 0.0), ("forward", 1.0)):
            above = [excess(process, count, fraction) for count in counts]
            yield Result(f"{name}, {kind}", above[0], 0.01, 9.0, "nats above the entropy, 10 steps")
            yield Result(f"{name}, {kind}", slope(above, counts), 0.7, 1.6, "order in the number of steps")
