"""Euler-Maruyama against the reverse diffusion sampler of Song et al. 2021, appendix F, on VE."""

from __future__ import annotations

from itertools import pairwise

import torch

from tests.given import process_of
from unfog.denoise import ExactMixture
from unfog.sample import EulerMaruyama, log_snr

from .conftest import Constant, go


def test_it_is_the_published_sampler() -> None:
    process = process_of("ve")
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    grid = log_snr(process, 9, 40.0, 0.05)[:-1]
    x = expected = 40 * torch.randn(5, 3, dtype=torch.float64)
    for t, s in pairwise(grid):
        gap = float(process.scales(t)[1] ** 2 - process.scales(s)[1] ** 2)
        expected = expected + gap * exact(expected, t).score + gap**0.5
    torch.testing.assert_close(go(exact, EulerMaruyama(), grid, x, Constant(1.0)), expected)


def test_the_last_step_adds_no_noise() -> None:
    process = process_of("flow")
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    x, grid = torch.randn(5, 3, dtype=torch.float64), torch.tensor([0.3, 0.0], dtype=torch.float64)
    torch.testing.assert_close(go(exact, EulerMaruyama(), grid, x, Constant(1.0)), exact(x, grid[0]).mean)


def test_from_pure_noise_it_draws_around_the_estimate() -> None:
    process = process_of("cosine")
    exact = ExactMixture(process, torch.randn(4, 3).double(), 0.4)
    grid = torch.tensor([1.0, 0.6], dtype=torch.float64)
    x = torch.randn(5, 3, dtype=torch.float64)
    alpha, sigma = process.scales(grid[1])
    expected = alpha * exact(x, grid[0]).mean + sigma
    torch.testing.assert_close(go(exact, EulerMaruyama(), grid, x, Constant(1.0)), expected)
