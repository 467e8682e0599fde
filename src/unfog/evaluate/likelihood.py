"""How probable data is under a model: its exact density by the probability flow, and the variational bound.

Everything is written for y = x_t / alpha and the noise-to-signal ratio r = sigma / alpha, in which all
schedules are one. With x the clean estimate the flow is, over u = log r,

    dy/du = y - x(y, r)            d log p/du = tr dx/dy - D

so the density of y at a small r follows from that at a large r, where it is almost a known Gaussian (Song et
al. 2021, arXiv 2011.13456, section 4.3). The trace is estimated with a random vector v of signs, as
E[v' J v] = tr J (Hutchinson), or computed whole where there are few dimensions.

The bound replaces the flow by the average error of the noise estimate over all levels (Kingma et al. 2021,
arXiv 2107.00630, eq. 15). It is never above the exact density but for sampling error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unfog.condition import NONE, Condition
from unfog.denoise import Denoiser
from unfog.errors import SampleError
from unfog.rng import Noise, stratified

WHOLE_TRACE = 64  # dimensions up to which the trace is computed and not estimated
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Density:
    """Log densities and what they cost.

    Attributes:
        nats: log p(x), (B,), float64.
        calls: network calls, forward and backward, each for the whole batch.
    """

    nats: Tensor
    calls: int


def log_density(
    denoiser: Denoiser,
    x: Tensor,
    cond: Condition = NONE,
    *,
    low: float = 1e-3,
    high: float = 1e3,
    tolerance: float = 1e-5,
    rng: Noise | None = None,
) -> Density:
    """The exact log density of clean data under a model.

    Args:
        denoiser: the model; its clean estimate must be differentiable in x_t.
        x: data of standard deviation about 1, (B, *S).
        cond: what steers it.
        low: noise-to-signal ratio that counts as none; the density is that of data with so much noise.
        high: ratio at which the data counts as a Gaussian of variance 1 below the noise.
        tolerance: relative and absolute, of the Dormand-Prince solver.
        rng: of the random signs; not needed up to 64 dimensions.

    Raises:
        SampleError: if the network returns NaN on the way.
    """
    from scipy.integrate import solve_ivp

    batch, size = x.shape[0], x[0].numel()
    signs = None if size <= WHOLE_TRACE else _signs(x, rng or Noise(0))
    calls = 0

    def field(u: float, state: Floats) -> Floats:
        nonlocal calls
        calls += 1
        y = torch.from_numpy(state[: batch * size]).view(x.shape).to(x)
        clean, trace = _clean_and_trace(denoiser, y, math.exp(u), cond, signs)
        flat = torch.cat([(y - clean).flatten().double(), trace.double() - size]).cpu().numpy()
        if not np.isfinite(flat).all():
            raise SampleError(f"The network gave NaN at noise level {math.exp(u):.3g}: no density there.")
        return np.asarray(flat, np.float64)

    start = np.concatenate([x.detach().double().cpu().numpy().ravel(), np.zeros(batch)])
    span = (math.log(low), math.log(high))
    found = solve_ivp(field, span, start, method="RK45", rtol=tolerance, atol=tolerance, t_eval=span[1:])
    y = torch.from_numpy(found.y[: batch * size, -1]).view(batch, -1)
    change = torch.from_numpy(found.y[batch * size :, -1])
    variance = high**2 + 1
    prior = -0.5 * (y.square().sum(1) / variance + size * math.log(2 * math.pi * variance))
    return Density(prior - change, calls)


def _signs(x: Tensor, rng: Noise) -> Tensor:
    return torch.where(rng.uniform(x.shape, like=x) < 0.5, -1.0, 1.0).to(x)


def _clean_and_trace(
    denoiser: Denoiser, y: Tensor, ratio: float, cond: Condition, signs: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The clean estimate (B, *S) and the trace of its derivative by y (B,)."""
    process = denoiser.process
    t = process.schedule.time(torch.tensor(-math.log(ratio), dtype=torch.float64))
    alpha = process.scales(t, like=y)[0]
    with torch.enable_grad():
        y = y.detach().requires_grad_()
        clean = denoiser(alpha * y, t, cond).mean
        if signs is not None:
            (turned,) = torch.autograd.grad(clean, y, signs)
            return clean.detach(), (turned * signs).flatten(1).sum(1)
        flat, trace = clean.flatten(1), torch.zeros(len(y), dtype=y.dtype, device=y.device)
        for place in range(flat.shape[1]):
            (row,) = torch.autograd.grad(flat[:, place].sum(), y, retain_graph=True)
            trace += row.flatten(1)[:, place]
    return clean.detach(), trace


@torch.no_grad()
def density_bound(
    denoiser: Denoiser,
    x: Tensor,
    cond: Condition = NONE,
    *,
    low: float = 1e-3,
    high: float = 1e3,
    levels: int = 64,
    rng: Noise | None = None,
) -> Tensor:
    """A lower bound of the log density, one estimate for each example.

    Args:
        denoiser: the model.
        x: data of standard deviation about 1, (B, *S).
        cond: what steers it.
        low, high: noise-to-signal ratios, as for `log_density`.
        levels: noise levels at which each example is looked at, spread evenly over log r; more make the
            estimate less noisy, not the bound tighter.
        rng: of noise and levels.

    Returns:
        Nats, (B,), float64.
    """
    rng, process = rng or Noise(0), denoiser.process
    batch = x.shape[0]
    span = math.log(high / low)
    total = torch.zeros(batch, dtype=torch.float64)
    for place in stratified(levels, rng).tolist():
        clock = torch.tensor(-(math.log(low) + place * span), dtype=torch.float64)
        t, noise = process.schedule.time(clock), rng.normal(x.shape, like=x)
        guess = denoiser(process.mix(x, noise, t), t, cond).noise
        total += (noise - guess).square().flatten(1).sum(1).double().cpu()
    return -(total * span / levels + ends_of_bound(x, low, high))


def ends_of_bound(x: Tensor, low: float, high: float) -> Tensor:
    """What a variational bound pays before the first level and after the last, in nats, (B,), float64.

    Args:
        x: data of standard deviation about 1, (B, *S).
        low, high: noise-to-signal ratios, as for `log_density`.
    """
    size = x[0].numel()
    variance = high**2 + 1  # of the prior; what is left of x in it costs next to nothing
    left = x.flatten(1).square().sum(1).double().cpu()
    prior = 0.5 * ((left + size * high**2) / variance - size + size * math.log(variance / high**2))
    # the data itself, given y at the lowest level: a Gaussian of that width
    last = 0.5 * size * (math.log(2 * math.pi * low**2) + 1)
    return prior + last
