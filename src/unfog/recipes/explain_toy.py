"""A distribution in the plane, whose score is known in any noise: where it points, and where it leads.

Two half moons out of small round blobs. Their mixture with any noise is again a mixture of blobs, so nothing
here is learned and nothing is estimated.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from unfog.data.toy import two_moons
from unfog.denoise import ExactMixture
from unfog.output.explained import Field, Toy
from unfog.process import GaussianProcess
from unfog.recipes.explain_subject import allowed
from unfog.rng import Noise, derive_seed
from unfog.sample import DDPM, Heun, Sampler, log_snr, trajectory

BLOBS, BLOB = 80, 0.07  # number and standard deviation, for data of standard deviation 1
NOISE_LEVELS = (1.0, 0.4, 0.12)  # sigma / alpha of the fields
REACH, ACROSS = 2.7, 17  # of the plane, and arrows in a row
POINTS = 300
PATHS, WANDERERS = 24, 4
FLOW_STEPS, WANDER_STEPS = 48, 240
WALKS = 2000  # whose ends are counted
START, END = 8.0, 0.02  # noise levels: at 8, what the data adds to the noise's spread is less than 1 %


def moons(process: GaussianProcess) -> ExactMixture:
    """The exact denoiser of two moons in the plane, of mean 0 and standard deviation 1 along both axes."""
    points, _ = two_moons(BLOBS, noise=0.0, seed=1)
    points = (points - points.mean(0)) / points.std(0)
    return ExactMixture(process, torch.from_numpy(points), BLOB)


def play(process: GaussianProcess, seed: int) -> Toy:
    """The score of the moons as arrows, and paths from noise to them, without and with fresh noise."""
    exact, rng = moons(process), Noise(derive_seed(seed, "toy"))
    data = exact.draw(POINTS, rng)
    noise = rng.normal(data.shape, like=data)
    start = rng.normal((WALKS, 2), like=data)
    flow = lead(exact, Heun(), start, FLOW_STEPS, seed)
    wander_steps = allowed(process, WANDER_STEPS)
    wander = lead(exact, DDPM(), start, wander_steps, seed)
    return Toy(
        data=data.numpy(),
        fields=[score_field(exact, level, data, noise) for level in NOISE_LEVELS],
        flow=flow[:PATHS],
        wander=wander[:WANDERERS],
        steps=(FLOW_STEPS, wander_steps),
        walks=WALKS,
        upper={"flow": in_upper(exact, flow[:, -1]), "wander": in_upper(exact, wander[:, -1]), "data": 0.5},
    )


def in_upper(exact: ExactMixture, ends: np.ndarray) -> float:
    """The share of points, (N, 2), whose nearest blob belongs to the upper moon: every other one does."""
    nearest = torch.cdist(torch.from_numpy(ends), exact.means).argmin(1)
    return float((nearest % 2 == 0).double().mean())


def score_field(exact: ExactMixture, level: float, data: Tensor, noise: Tensor) -> Field:
    """sigma times the score on a square lattice of the plane x_t / alpha, and noisy data there.

    Args:
        exact: whose score.
        level: noise level sigma / alpha.
        data: points, (N, 2).
        noise: standard normal, (N, 2).
    """
    line = torch.linspace(-REACH, REACH, ACROSS, dtype=torch.float64)
    places = torch.cartesian_prod(line, line)
    t = exact.process.schedule.time(-torch.tensor(level, dtype=torch.float64).log())
    alpha, sigma = exact.process.scales(t)
    posterior = exact(alpha * places, t)
    return Field(
        level=level,
        points=(data + level * noise).numpy(),
        places=places.numpy(),
        arrows=(sigma * posterior.score).numpy(),
    )


def lead(exact: ExactMixture, sampler: Sampler[None], start: Tensor, steps: int, seed: int) -> np.ndarray:
    """Walk from noise to data.

    Args:
        exact: knows the way.
        sampler: how to step.
        start: standard normal, (P, 2).
        steps: how many.
        seed: of what a stochastic sampler adds.

    Returns:
        Paths, (P, steps + 1, 2), in coordinates x_t / sqrt(alpha^2 + sigma^2), where noise and data both have
        standard deviation 1.
    """
    process = exact.process
    grid = log_snr(process, steps, START, END)
    times = [grid[0], *grid[1:]]
    x = start * torch.hypot(*process.scales(grid[0]))
    seen = [x]
    for step in trajectory(exact, sampler, grid, x, rng=Noise(derive_seed(seed, "wander"))):
        seen.append(step.x_s)
    spreads = [torch.hypot(*process.scales(t)) for t in times]
    return torch.stack([x / each for x, each in zip(seen, spreads, strict=True)], 1).numpy()
