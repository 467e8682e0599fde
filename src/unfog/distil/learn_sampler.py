"""Where to stop and how to weigh: time grid and multistep weights learned from a model's own trajectories.

The network stays as it is. A teacher walks from many noises in many steps; the student walks from the same
noises in few, and its noise levels and weights are moved by gradient descent until it ends where the teacher
does. That is some four numbers for each step, found in a minute on a laptop, and it cannot damage the model
(S4S, Frankel et al. 2025, arXiv 2502.17423; for the grid alone LD3, Tong et al. 2024, arXiv 2405.15506).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unfog.condition import Condition
from unfog.denoise import Denoiser
from unfog.sample.learned import REACH

RATE, ROUNDS, CHECKS = 0.02, 240, 6
LEAST = 0.02  # the shortest step in the clock, so that levels never meet


@dataclass(frozen=True)
class Walks:
    """Some pictures, as the teacher drew them.

    Attributes:
        denoiser: guided as the model samples, for exactly these pictures.
        cond: what steers it.
        noise: where they start, standard normal, (B, *S).
        ends: where the teacher took them, (B, *S).
    """

    denoiser: Denoiser
    cond: Condition
    noise: Tensor
    ends: Tensor


@dataclass(frozen=True)
class Fitted:
    """A learned sampler.

    Attributes:
        levels: noise-to-signal ratios of the grid, falling, one for each step.
        corrections: for each step, what is added to the weights of the last estimates, newest first.
        error: root mean square distance to the teacher's ends, on walks it was not fitted to.
        before: the same for the grid it started from, without corrections.
    """

    levels: tuple[float, ...]
    corrections: tuple[tuple[float, ...], ...]
    error: float
    before: float


def fit_sampler(
    walks: Sequence[Walks],
    held: Sequence[Walks],
    levels: Sequence[float],
    *,
    rounds: int = ROUNDS,
    progress: Callable[[int, int], None] | None = None,
) -> Fitted:
    """Fit levels and weights; the first level stays, because there the walks begin.

    Args:
        walks: to fit to.
        held: to choose by, and to report.
        levels: noise-to-signal ratios to start from, falling, one for each step.
        rounds: gradient steps, each on one of the walks.
        progress: called with rounds done and rounds in all.
    """
    clocks = -torch.tensor(levels, dtype=torch.float64).log()
    gaps = (clocks.diff() - LEAST).clamp_min(1e-3)
    # the inverse of softplus, so that the start is the grid that was given
    free = torch.log(torch.expm1(gaps)).requires_grad_()
    corrections = torch.zeros(len(levels), REACH, dtype=torch.float64, requires_grad=True)
    groups: list[dict[str, Any]] = [{"params": [free]}, {"params": [corrections], "lr": RATE / 2}]
    optimizer = torch.optim.Adam(groups, lr=RATE)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, rounds)
    best, before = math.inf, _distance(held, clocks, torch.zeros_like(corrections))
    kept = clocks, torch.zeros_like(corrections)
    for done in range(1, rounds + 1):
        walk = walks[done % len(walks)]
        now = _clocks(clocks[0], free)
        wrong = _end(walk, now, corrections) - walk.ends
        loss = wrong.flatten(1).square().mean(1).add(1e-6).sqrt().mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if all(bool(p.grad is None or p.grad.isfinite().all()) for p in (free, corrections)):
            torch.nn.utils.clip_grad_norm_([free, corrections], 1.0)
            optimizer.step()
        fall.step()
        if done % max(1, rounds // CHECKS) == 0 or done == rounds:
            found = _distance(held, _clocks(clocks[0], free), corrections)
            if found < best:
                best, kept = found, (_clocks(clocks[0], free).detach(), corrections.detach().clone())
        if progress:
            progress(done, rounds)
    chosen, weights = kept
    return Fitted(
        tuple((-chosen).exp().tolist()), tuple(tuple(row) for row in weights.tolist()), best, before
    )


def _clocks(first: Tensor, free: Tensor) -> Tensor:
    steps = torch.nn.functional.softplus(free) + LEAST
    return first + torch.cat([torch.zeros(1, dtype=torch.float64), steps.cumsum(0)])


@torch.no_grad()
def _distance(walks: Sequence[Walks], clocks: Tensor, corrections: Tensor) -> float:
    wrong = torch.cat([(_end(walk, clocks, corrections) - walk.ends).flatten(1) for walk in walks])
    return float(wrong.square().mean().sqrt())


def _end(walk: Walks, clocks: Tensor, corrections: Tensor) -> Tensor:
    """What ``sample.learned`` does along these clocks, but differentiable in clocks and corrections."""
    process, known = walk.denoiser.process, list[tuple[Tensor, Tensor]]()
    times = torch.cat([process.schedule.time(clocks), torch.zeros(1, dtype=torch.float64)])
    scales, ends = [process.scales(t) for t in times], torch.cat([clocks, process.log_ratio(times[-1:])])
    x = (scales[0][1] * walk.noise).to(walk.noise)
    for index, clock in enumerate(clocks):
        (alpha_t, sigma_t), (alpha_s, sigma_s) = scales[index], scales[index + 1]
        mean = walk.denoiser(x, times[index], walk.cond).mean
        known = [(mean, clock), *known][:REACH]
        keep = sigma_s / sigma_t
        if bool(ends[index + 1].isfinite()):
            weights = alpha_s * _weights(torch.stack([at for _, at in known]), clock, ends[index + 1])
        else:  # to where there is no noise there is no polynomial in the clock
            weights = torch.zeros(len(known), dtype=torch.float64)
            weights = weights + torch.cat([(alpha_s - keep * alpha_t)[None], weights[1:]])
        weights = weights + alpha_s * corrections[index, : len(known)]
        x = keep.to(x) * x
        for weight, (value, _) in zip(weights, known, strict=True):
            x = x + weight.to(x) * value
    return x


def _weights(nodes: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """``sample.exponential.exponential_weights``, differentiable in all arguments, (K,)."""
    h = end - start
    moments = [-torch.expm1(-h)]
    for power in range(1, len(nodes)):
        moments.append(h**power - power * moments[-1])
    powers = torch.stack([(nodes - start) ** power for power in range(len(nodes))])
    weights: Tensor = torch.linalg.solve(powers, torch.stack(moments))
    return weights
