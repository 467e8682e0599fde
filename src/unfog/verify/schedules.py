"""Schedules: clock and time, rates, the SDE with these scales, and that pictures do not depend on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from unfog.denoise import ExactMixture
from unfog.rng import Noise
from unfog.sample import SAMPLERS
from unfog.verify.check import Result, end_of, error, inner_grid, process_of, schedules

TIMES = torch.linspace(0.03, 0.97, 48, dtype=torch.float64) + 1e-4  # off the corners of the discrete chain


def clocks_invert() -> Iterator[Result]:
    """``time(log_ratio(t))`` is t, also at the ends, where the clock may be infinite; and the clock falls."""
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    for name, schedule in schedules().items():
        clock = schedule.log_ratio(TIMES)
        yield error(name, schedule.time(clock), TIMES, 1e-8)
        yield error(f"{name}, ends", schedule.time(schedule.log_ratio(ends)), ends, 1e-8)
        yield Result(f"{name}, falling", float(clock.diff().max()), -1e9, -1e-9, "steepest rise")


def _derivative(function: Callable[[Tensor], Tensor]) -> Tensor:
    """The derivative of an elementwise function at all times, by automatic differentiation."""
    t = TIMES.clone().requires_grad_()
    value = function(t)
    if not value.requires_grad:
        return torch.zeros_like(TIMES)
    (derivative,) = torch.autograd.grad(value.sum(), t)
    return derivative


def rates_are_derivatives() -> Iterator[Result]:
    """``alpha_rate`` and ``sigma_rate`` against automatic differentiation."""
    for name, schedule in schedules().items():
        for part, rate in (("alpha", schedule.alpha_rate), ("sigma", schedule.sigma_rate)):
            truth = _derivative(getattr(schedule, part))
            relative = (rate(TIMES) - truth).abs() / (1 + truth.abs())
            yield error(f"{name}, {part}", relative, torch.zeros_like(relative), 1e-9)


def diffusions_fit() -> Iterator[Result]:
    """Under dx = f x dt + g dw moments grow as alpha' = f alpha and (sigma^2)' = 2 f sigma^2 + g^2."""
    for name, schedule in schedules().items():
        process = process_of(name)
        drift, diffusion = process.drift_and_diffusion(TIMES)
        alpha, sigma = process.scales(TIMES)
        spread = 2 * sigma * _derivative(schedule.sigma)
        for part, grows, truth in (
            ("mean", drift * alpha, _derivative(schedule.alpha)),
            ("variance", 2 * drift * sigma**2 + diffusion**2, spread),
        ):
            relative = (grows - truth).abs() / (1 + truth.abs())
            yield error(f"{name}, {part}", relative, torch.zeros_like(relative), 1e-9)


def schedules_drop_out() -> Iterator[Result]:
    """The same walk in the clock ends in the same pictures on every schedule, with noise too."""
    means = torch.tensor([[-1.0, 0.5, 0.0], [0.7, 0.1, -1.2]], dtype=torch.float64)
    for name, sampler in SAMPLERS.items():
        ends = []
        for schedule in schedules():
            process = process_of(schedule)
            grid = inner_grid(process, 15)
            x = process.scales(grid[0])[1] * Noise(10).normal((4, 3)).double()
            end = end_of(ExactMixture(process, means, 0.3), sampler(), grid, x, Noise(11))
            ends.append(end / process.scales(grid[-1])[0])
        yield error(name, torch.stack(ends[1:]), ends[0].expand(len(ends) - 1, *ends[0].shape), 1e-5)
