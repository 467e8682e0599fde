"""SDE-DPM-Solver++(2M): ancestral noise, second-order drift."""

from __future__ import annotations

import torch

from tests.given import process_of
from unfog.denoise import ExactGaussian
from unfog.rng import Noise
from unfog.sample import DDPM, SDESolver2M, log_snr

from .conftest import Constant, Told, go


def test_its_first_step_is_ancestral() -> None:
    process = process_of("vp")
    exact, grid = ExactGaussian(process, 0.3, 0.7), torch.tensor([0.8, 0.5], dtype=torch.float64)
    x = torch.randn(5, 2, dtype=torch.float64)
    ours, theirs = (go(exact, sampler, grid, x, Noise(3)) for sampler in (SDESolver2M(), DDPM()))
    torch.testing.assert_close(ours, theirs)


def test_the_second_step_leans_on_the_first_estimate() -> None:
    """With a clean estimate that is linear in the clock: the extrapolation to the middle of the step."""
    process = process_of("flow")
    grid = torch.tensor([0.9, 0.7, 0.4], dtype=torch.float64)
    clocks = [float(process.log_ratio(t)) for t in grid]
    told = Told(process, lambda clock: 2.0 * clock)
    x = torch.randn(3, 2, dtype=torch.float64)
    before = go(told, SDESolver2M(), grid[:2], x, Constant(0.0))
    middle = 2.0 * (clocks[1] + clocks[2]) / 2
    expected = go(Told(process, lambda _: middle), DDPM(), grid[1:], before, Constant(0.0))
    torch.testing.assert_close(go(told, SDESolver2M(), grid, x, Constant(0.0)), expected)


def test_one_call_a_step() -> None:
    process = process_of("cosine")
    told = Told(process, lambda clock: 0.0)
    go(told, SDESolver2M(), log_snr(process, 7, 20.0, 0.05), torch.randn(2, 2))
    assert told.calls == 7
