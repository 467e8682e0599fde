"""Prediction targets: whatever the network is asked for, the clean estimate is the same."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from unfog.denoise import TARGETS, GaussianDenoiser
from unfog.errors import SampleError
from unfog.rng import Noise
from unfog.verify.check import Result, error, process_of, schedules

LEVELS = (20.0, 2.0, 0.5, 0.05)  # noise-to-signal ratios


class _Says(nn.Module):
    """A network that gives one answer."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor, clock: Tensor) -> Tensor:
        return self.answer


def targets_say_the_same() -> Iterator[Result]:
    """From the true target of known data and noise, both come back, at all noise levels."""
    x, noise = Noise(1).normal((6, 3)).double(), Noise(2).normal((6, 3)).double()
    for name, target in TARGETS.items():
        for schedule in schedules():
            process, errors = process_of(schedule), []
            for level in LEVELS:
                t = process.schedule.time(-torch.tensor(level, dtype=torch.float64).log())
                x_t = process.mix(x, noise, t)
                a, b = target(process, t, x_t)
                try:
                    posterior = GaussianDenoiser(_Says(a * x + b * noise), process, target)(x_t, t)
                except SampleError:  # it says nothing about the data, so nothing comes back
                    errors.append(torch.full_like(x, torch.nan))
                    continue
                errors += [posterior.mean - x, posterior.noise - noise]
                errors.append(posterior.score + noise / process.scales(t)[1])
            found = torch.cat(errors)
            yield error(f"{name}, {schedule}", found, torch.zeros_like(found), 1e-6)


def targets_are_what_they_say() -> Iterator[Result]:
    """Each target against its definition, from known data and noise; the velocity against a difference."""
    x, noise = Noise(1).normal((6, 3)).double(), Noise(2).normal((6, 3)).double()
    for schedule in ("cosine", "sub-vp", "ve", "flow"):
        process = process_of(schedule)
        t = process.schedule.time(torch.tensor(-0.4, dtype=torch.float64))
        alpha, sigma = process.scales(t)
        later, sooner = (process.mix(x, noise, t + step) for step in (1e-5, -1e-5))
        truths = {
            "data": x,
            "noise": noise,
            "v": (alpha * noise - sigma * x) / torch.hypot(alpha, sigma),
            "velocity": (later - sooner) / 2e-5,
            "score": -noise / sigma,
        }
        for name, truth in truths.items():
            a, b = TARGETS[name](process, t, x)
            yield error(
                f"{name}, {schedule}", (a * x + b * noise - truth) / (1 + truth.abs()), 0 * truth, 1e-6
            )


class _Looks(nn.Module):
    """A network that remembers what it was shown, and answers 0.5 for the mean and for the variance."""

    def forward(self, x: Tensor, clock: Tensor) -> Tensor:
        self.x, self.clock = x, clock
        return torch.cat([torch.full_like(x, 0.5), torch.full_like(x, 0.5)], 1)


def networks_see_unit_variance() -> Iterator[Result]:
    """Networks are shown data of unit variance and the clock; posteriors measure errors as they say."""
    for schedule in ("cosine", "ve", "flow"):
        process, looks = process_of(schedule), _Looks()
        t = process.schedule.time(torch.tensor(-0.7, dtype=torch.float64))
        x_t = process.mix(Noise(1).normal((400, 1, 9)).double(), Noise(2).normal((400, 1, 9)).double(), t)
        posterior = GaussianDenoiser(looks, process, TARGETS["data"], variance=True)(x_t, t)
        yield Result(f"{schedule}, variance", float(looks.x.var()), 0.9, 1.1, "variance of the input")
        yield error(f"{schedule}, clock", looks.clock, torch.full_like(looks.clock, -0.7), 1e-6)
        assert posterior.fraction is not None
        yield error(f"{schedule}, fraction", posterior.fraction, torch.full_like(x_t, 0.75), 1e-9)
        wrong = (x_t - 0.5).square().reshape(400, 9).sum(1) / 9
        yield error(f"{schedule}, divergence", posterior.divergence(x_t), wrong, 1e-9)
