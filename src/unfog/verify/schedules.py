"""Schedules: clock and time, rates, the SDE with these scales, and that pictures do not depend on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from unfog.denoise import ExactMixture
from unfog.process import DDPM, SCHEDULES, DDPMCosine, GaussianProcess
from unfog.rng import Noise
from unfog.sample import GRIDS, SAMPLERS, through
from unfog.verify.check import Result, end_of, error, inner_grid, process_of, schedules

TIMES = torch.linspace(0.03, 0.97, 48, dtype=torch.float64) + 1e-4  # off the corners of the discrete chain


def clocks_invert() -> Iterator[Result]:
    """``time(log_ratio(t))`` is t, also at the ends, where the clock may be infinite; and the clock falls."""
    ends = torch.tensor([0.0, 0.0003, 0.9993, 0.9998, 1.0], dtype=torch.float64)
    for name, schedule in schedules().items():
        clock = schedule.log_ratio(TIMES)
        yield error(name, schedule.time(clock), TIMES, 1e-8)
        yield error(f"{name}, ends", schedule.time(schedule.log_ratio(ends)), ends, 1e-8)
        beyond = schedule.time(torch.tensor([-60.0, 60.0], dtype=torch.float64))
        yield error(f"{name}, beyond the ends", beyond, torch.tensor([1.0, 0.0]).double(), 1e-9)
        yield Result(f"{name}, falling", float(clock.diff().max()), -1e9, -1e-9, "steepest rise")
    first = torch.tensor(1e-3, dtype=torch.float64)
    for kind in (DDPM, DDPMCosine):  # made to end without data, a chain still takes the same first step
        plain, rescaled = kind().alpha(first), kind(zero_terminal=True).alpha(first)
        yield error(f"{kind.__name__} to zero, first step", rescaled, plain, 1e-9)


def schedules_are_as_published() -> Iterator[Result]:
    """Alpha and sigma at a quarter of the way, by the formulas of the papers."""
    linear, offset = math.prod(1 - (1e-4 + n * (0.02 - 1e-4) / 999) for n in range(250)), 0.008
    cosine = math.cos((0.25 + offset) / (1 + offset) * math.pi / 2) / math.cos(
        offset / (1 + offset) * math.pi / 2
    )
    kept = math.exp(-0.25 * 0.25**2 * (20 - 0.1) - 0.5 * 0.25 * 0.1)
    rounded = (0.002 ** (1 / 7) + 0.25 * (80 ** (1 / 7) - 0.002 ** (1 / 7))) ** 7
    published = {
        "ddpm": (linear**0.5, (1 - linear) ** 0.5),
        "ddpm-cosine": (cosine, (1 - cosine**2) ** 0.5),
        "cosine": (math.cos(math.pi / 8), math.sin(math.pi / 8)),
        "vp": (kept, (1 - kept**2) ** 0.5),
        "sub-vp": (kept, 1 - kept**2),
        "ve": (1.0, 0.002 * (80 / 0.002) ** 0.25),
        "edm": (1.0, rounded),
        "flow": (0.75, 0.25),
    }
    quarter = torch.tensor(0.25, dtype=torch.float64)
    for name, kind in SCHEDULES.items():
        found = torch.stack([kind().alpha(quarter), kind().sigma(quarter)])
        truth = torch.tensor(published[name], dtype=torch.float64)
        yield error(name, found, truth, 1e-9)
        each = torch.stack(GaussianProcess(kind()).scales(quarter.expand(3)))
        yield error(f"{name}, a time for each", each, truth[:, None].expand(2, 3), 1e-9)


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
        before, end = torch.tensor([1 - 1e-6, 1.0], dtype=torch.float64)
        slope = (schedule.alpha(end) - schedule.alpha(before)) / 1e-6
        off = (schedule.alpha_rate(end) - slope) / (1 + slope.abs())
        yield error(f"{name}, alpha at the end", off, torch.zeros_like(off), 1e-3)


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


def grids_keep_their_ends() -> Iterator[Result]:
    """Grids begin at the noise level asked for, fall, and end at the data; some by the lowest level."""
    start, end, steps = 20.0, 0.05, 7
    for grid, lay in GRIDS.items():
        for name, schedule in schedules().items():
            process = GaussianProcess(schedule)
            times = lay(process, steps, start, end)
            levels = (-process.log_ratio(times[:-1])).exp()
            yield Result(f"{grid}, {name}", float(levels[0]), start - 1e-4, start + 1e-4, "first noise level")
            falls = float(times.diff().max())
            yield Result(f"{grid}, {name}", falls if len(times) == steps + 1 else 1.0, -1.0, -1e-9, "rise")
            if grid in ("karras", "log-snr", "exponential"):
                yield Result(f"{grid}, {name}", float(levels[-1]), 0.999 * end, 1.001 * end, "last level")
    asked = torch.tensor([9.0, 2.0, 0.3], dtype=torch.float64)
    for name, schedule in schedules().items():
        process = GaussianProcess(schedule)
        levels = (-process.log_ratio(through(asked.tolist())(process, 3, 9.0, 0.3)[:-1])).exp()
        yield error(f"through, {name}", levels, asked, 1e-3)
    flow, pace = process_of("flow"), torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    first = start / (1 + start)  # the time of the first level on the straight line
    roots = torch.linspace(start ** (1 / 7), end ** (1 / 7), steps, dtype=torch.float64) ** 7
    shift = 3 * pace / (1 + 2 * pace)
    last = flow.schedule.time(-torch.tensor(start, dtype=torch.float64).log())
    published = {
        "uniform": (pace * first, GRIDS["uniform"](flow, steps, start, end)),
        "quadratic": (pace**2 * first, GRIDS["quadratic"](flow, steps, start, end)),
        "karras": (roots / (1 + roots), GRIDS["karras"](flow, steps, start, end)[:-1]),
        "shifted": (shift, GRIDS["shifted"](flow, steps, 1e12, end)),
    }
    yield error("flow, time of the first level", last, torch.tensor(first).double(), 1e-7)
    for grid, (truth, found) in published.items():
        yield error(f"{grid}, as published", found, truth, 1e-6)
