"""Churn raises the noise as forward diffusion does, and no further than the schedule goes."""

from __future__ import annotations

import math

import pytest
import torch

from tests.given import process_of
from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.sample.churn import churned


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_noise_grows_by_the_share(schedule: str) -> None:
    """From clean data of one value: mean alpha x, standard deviation sigma, at the noisier time."""
    process, count = process_of(schedule), 200_000
    t = process.schedule.time(torch.tensor(0.2, dtype=torch.float64))
    x_t = process.corrupt(torch.full((count, 1), 0.8, dtype=torch.float64), t, Noise(1))
    x, later = churned(process, x_t, t, 0.3, Noise(2))
    grown = float(process.log_ratio(t) - process.log_ratio(later))
    assert grown == pytest.approx(math.log(1.3), abs=1e-12), "in float64"
    alpha, sigma = (float(scale) for scale in process.scales(later))
    assert float(x.mean()) == pytest.approx(0.8 * alpha, abs=5 * sigma / count**0.5)
    assert float(x.std()) == pytest.approx(sigma, rel=5 / (2 * count) ** 0.5)


def test_nothing_happens_without_churn_or_signal_or_room() -> None:
    process = process_of("cosine")
    x, t = torch.ones(2, 3), torch.tensor(0.5, dtype=torch.float64)
    same, when = churned(process, x, t, 0.0, Noise(1))
    assert same is x and when is t
    same, when = churned(process, x, torch.tensor(1.0, dtype=torch.float64), 0.4, Noise(1))
    assert same is x and float(when) == 1.0
    full = torch.tensor(1.0, dtype=torch.float64)
    moved, when = churned(process_of("ve"), x, full, 0.4, Noise(1))
    assert float(when) == 1.0
    torch.testing.assert_close(moved, x)
