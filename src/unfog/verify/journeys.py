"""The way up: the forward SDE, the kernel between two times, and encoding, against closed forms."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from unfog.denoise import ExactGaussian
from unfog.process import GaussianProcess
from unfog.process.simulate import simulate
from unfog.rng import Noise
from unfog.sample import log_snr
from unfog.sample.encode import between, encode
from unfog.verify.check import MEAN, STD, Impulses, Result, error, schedules

CLOCKS = torch.linspace(3.5, -2.0, 201, dtype=torch.float64)  # from little noise to much


def forward_reaches_kernel() -> Iterator[Result]:
    """The simulated forward SDE, 200 steps, has the moments alpha x and sigma^2; nothing is drawn.

    It is affine: one path starts at 1 and the others at 0, each with a noise of 1 in one step only.
    """
    for name, schedule in schedules().items():
        process = GaussianProcess(schedule)
        times = schedule.time(CLOCKS)
        x = torch.zeros(len(times), 1, dtype=torch.float64)
        x[0] = 1.0
        *_, last = simulate(process, x, times, Impulses(first=1))
        (alpha, sigma), (alpha_end, sigma_end) = process.scales(times[0]), process.scales(times[-1])
        mean, variance = last[0] * alpha, last[1:].square().sum() + (last[0] * sigma) ** 2
        yield error(f"{name}, mean", mean, alpha_end.expand(1), 5e-3)
        yield Result(f"{name}, sign", float(last[1:].min()), 0.0, math.inf, "noise is added")
        yield error(f"{name}, variance", variance / sigma_end**2, torch.ones(1).double(), 0.02)


def kernels_chain() -> Iterator[Result]:
    """x_s drawn from x, then x_t from x_s, is x_t drawn from x; and the prior is noise alone."""
    for name, schedule in schedules().items():
        process = GaussianProcess(schedule)
        s, t = schedule.time(CLOCKS[60]), schedule.time(CLOCKS[160])
        x = torch.tensor([[1.0], [0.0]], dtype=torch.float64)
        kept, fresh = process.diffuse(x, s, t, Impulses(first=1))[:, 0]
        (alpha_s, sigma_s), (alpha_t, sigma_t) = process.scales(s), process.scales(t)
        yield error(f"{name}, mean", kept * alpha_s, alpha_t, 1e-9)
        found = ((kept * sigma_s) ** 2 + fresh**2) / sigma_t**2
        yield error(f"{name}, variance", found, torch.ones_like(found), 1e-8)
        yield Result(f"{name}, sign of the noise", float(fresh), 0.0, math.inf, "what is added")
        prior, drawn = process.prior((3, 1), Noise(1), t) / sigma_t, Noise(1).normal((3, 1)).double()
        yield error(f"{name}, prior", prior, drawn, 1e-6)


def encoding_is_the_flow() -> Iterator[Result]:
    """The noise of known Gaussian data, and that mixtures of two noises keep their length."""
    x = torch.tensor([[-1.0], [0.3], [1.4]], dtype=torch.float64)
    for name, schedule in schedules().items():
        process = GaussianProcess(schedule)
        exact, grid = ExactGaussian(process, MEAN, STD), log_snr(process, 120, 40.0, 0.02)
        low, high = grid[-2], grid[0]
        start = process.scales(low)[0] * x
        truth = exact.flow_map(start, float(low), float(high)) / process.scales(high)[1]
        yield error(name, encode(exact, x, grid), truth, 5e-3)
    third = math.pi / 9  # of the angle between the two, 60 degrees
    a, b = torch.tensor([[3.0, 0.0, 0.0]]), torch.tensor([[1.5, 1.5 * 3**0.5, 0.0]])
    middle = 3 * torch.tensor([[math.cos(third), math.sin(third), 0.0]])
    for share, truth in ((0.0, a), (1.0, b), (1 / 3, middle)):
        yield error(f"between, {share:.2f}", between(a, b, share), truth, 1e-5)
