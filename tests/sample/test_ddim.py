"""DDIM against its published step."""

from __future__ import annotations

import pytest
import torch

from tests.given import process_of
from unfog.denoise import ExactMixture
from unfog.process import SCHEDULES
from unfog.sample import DDIM

from .conftest import go


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_step_keeps_the_estimated_noise(schedule: str) -> None:
    """x_s = alpha_s x_hat + sigma_s e_hat (Song et al. 2021, equation 12 with eta 0)."""
    process = process_of(schedule)
    exact = ExactMixture(process, torch.randn(3, 2).double(), 0.4)
    t, s = torch.tensor([0.7, 0.4], dtype=torch.float64)
    x = torch.randn(5, 2, dtype=torch.float64)
    known, (alpha, sigma) = exact(x, t), process.scales(s)
    found = go(exact, DDIM(), torch.stack([t, s]), x)
    torch.testing.assert_close(found, alpha * known.mean + sigma * known.noise)


def test_a_step_is_eulers_in_the_coordinates_of_the_straight_line() -> None:
    """On the flow schedule DDIM is the Euler step along the velocity e - x (Liu et al. 2023)."""
    process = process_of("flow")
    exact = ExactMixture(process, torch.randn(3, 2).double(), 0.4)
    t, s = torch.tensor([0.8, 0.5], dtype=torch.float64)
    x = torch.randn(5, 2, dtype=torch.float64)
    known = exact(x, t)
    expected = x + (s - t) * (known.noise - known.mean)
    torch.testing.assert_close(go(exact, DDIM(), torch.stack([t, s]), x), expected)
