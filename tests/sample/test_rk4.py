"""The classical Runge-Kutta method against scipy's solution of the same probability flow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from tests.given import process_of
from unfog.denoise import ExactMixture
from unfog.sample import RK4, karras

from .conftest import go


@pytest.mark.parametrize("schedule", ["ve", "cosine"])
def test_it_follows_the_probability_flow(schedule: str) -> None:
    process = process_of(schedule)
    exact = ExactMixture(process, torch.tensor([[-1.0, 0.4], [0.8, -0.2]]).double(), 0.3)
    grid = karras(process, 60, 20.0, 0.05)[:-1]

    def slope(ratio: float, y: np.ndarray) -> np.ndarray:
        t = process.schedule.time(-torch.tensor(ratio, dtype=torch.float64).log())
        alpha = process.scales(t)[0]
        return np.asarray(exact(alpha * torch.from_numpy(y)[None], t).noise[0])

    (alpha, sigma), (end_alpha, end_sigma) = process.scales(grid[0]), process.scales(grid[-1])
    x = sigma * torch.tensor([[0.7, -1.1]], dtype=torch.float64)
    span = (float(sigma / alpha), float(end_sigma / end_alpha))
    truth = solve_ivp(slope, span, (x / alpha)[0].numpy(), rtol=1e-11, atol=1e-12).y[:, -1]
    found = go(exact, RK4(), grid, x)[0] / end_alpha
    np.testing.assert_allclose(found.numpy(), truth, atol=2e-5)


def test_middles_are_the_published_ones() -> None:
    """Where the slope depends on the ratio alone, one step is Simpson's rule."""
    from .conftest import Told

    process = process_of("ve")
    told = Told(process, lambda clock: 2.0)
    grid = process.schedule.time(-torch.tensor([1.0, 0.25], dtype=torch.float64).log())
    x = torch.full((1, 1), 3.0, dtype=torch.float64)
    # dy/dr = (y - 2) / r: y - 2 is proportional to r
    torch.testing.assert_close(go(told, RK4(), grid, x), torch.full((1, 1), 2.25).double(), atol=1e-8, rtol=0)
    assert told.calls == 4
