"""Encoding is the probability flow walked up, and walking down again finds the data."""

from __future__ import annotations

import math

import pytest
import torch

from tests.given import process_of
from unfog.denoise import ExactGaussian, ExactMixture
from unfog.errors import SampleError
from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.sample import Heun, log_snr, trajectory
from unfog.sample.encode import between, encode
from unfog.verify.check import MEAN, STD


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_it_is_the_exact_flow_upwards(schedule: str) -> None:
    process = process_of(schedule)
    exact = ExactGaussian(process, MEAN, STD)
    grid = log_snr(process, 160, 40.0, 0.02)
    x = torch.tensor([[-1.0], [0.3], [1.4]], dtype=torch.float64)
    low, high = float(grid[-2]), float(grid[0])
    truth = exact.flow_map(process.scales(low)[0] * x, low, high) / process.scales(high)[1]
    torch.testing.assert_close(encode(exact, x, grid), truth, rtol=0, atol=2e-3)


@pytest.mark.parametrize("schedule", ["cosine", "ve"])
def test_down_again_leads_back(schedule: str) -> None:
    process = process_of(schedule)
    mixture = ExactMixture(process, torch.tensor([[-1.0, 0.5], [1.0, -0.3]]).double(), 0.3)
    x = mixture.draw(20, Noise(1))
    grid = log_snr(process, 120, 60.0, 0.01)
    start = process.scales(grid[0])[1] * encode(mixture, x, grid)
    *_, last = trajectory(mixture, Heun(), grid, start, rng=Noise(0))
    assert float((last.x_s - x).abs().max()) < 0.02


def test_codes_of_data_are_standard_normal() -> None:
    process, count = process_of("cosine"), 4000
    mixture = ExactMixture(process, torch.tensor([[-1.0], [1.0]]).double(), 0.2)
    codes = encode(mixture, mixture.draw(count, Noise(2)), log_snr(process, 60, 80.0, 0.01))
    assert float(codes.mean()) == pytest.approx(0, abs=5 / count**0.5)
    assert float(codes.var()) == pytest.approx(1, rel=5 * (2 / count) ** 0.5 + 0.01)


def test_between_two_noises_there_is_noise() -> None:
    a, b = Noise(1).normal((3, 1, 30, 30)), Noise(2).normal((3, 1, 30, 30))
    for share in (0.0, 0.25, 0.5, 1.0):
        assert float(between(a, b, share).std()) == pytest.approx(1.0, abs=0.05)
    torch.testing.assert_close(between(a, b, 0.0), a)
    torch.testing.assert_close(between(a, b, 1.0), b)
    torch.testing.assert_close(between(a, a, 0.4), a)
    middle = between(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 0.5)
    torch.testing.assert_close(middle, torch.full((1, 2), math.sqrt(0.5)))


def test_a_rising_grid_is_refused() -> None:
    process = process_of("cosine")
    with pytest.raises(SampleError, match="fall"):
        encode(ExactGaussian(process, 0.0, 1.0), torch.zeros(1, 1), torch.tensor([0.0, 0.5, 1.0]))
