"""Learning a sampler: the same walk as the sampler itself, and nearer to the teacher afterwards."""

from __future__ import annotations

import pytest
import torch

from tests.given import process_of
from unfog.condition import NONE
from unfog.denoise import ExactMixture
from unfog.distil.learn_sampler import Walks, _end, _weights, fit_sampler
from unfog.process import SCHEDULES
from unfog.rng import Noise
from unfog.sample import Heun, Learned, karras, log_snr, through, trajectory
from unfog.sample.exponential import exponential_weights

LEVELS = (30.0, 6.0, 1.5, 0.4)


def mixture(schedule: str) -> ExactMixture:
    means = torch.tensor([[-1.0, 0.5, 0.0], [0.7, 0.1, -1.2], [0.3, -0.9, 0.8]], dtype=torch.float64)
    return ExactMixture(process_of(schedule), means, 0.2)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_it_walks_as_the_sampler_does(schedule: str) -> None:
    exact = mixture(schedule)
    noise = Noise(1).normal((4, 3)).double()
    corrections = ((0.1,), (0.05, -0.1), (0.0, 0.1, -0.2), (0.02, 0.03, -0.01))
    grid = through(LEVELS)(exact.process, 4)
    x = exact.process.scales(grid[0])[1] * noise
    *_, last = trajectory(exact, Learned(corrections), grid, x, rng=Noise(2))
    table = torch.tensor([[*row, *[0.0] * (3 - len(row))] for row in corrections], dtype=torch.float64)
    walk = Walks(exact, NONE, noise, noise)
    found = _end(walk, -torch.tensor(LEVELS, dtype=torch.float64).log(), table)
    torch.testing.assert_close(found, last.x_s, rtol=1e-6, atol=1e-6)


def test_its_weights_are_those_of_the_exponential_integrator() -> None:
    nodes = torch.tensor([-0.3, -1.1, -2.4], dtype=torch.float64)
    for count in (1, 2, 3):
        found = _weights(nodes[:count], nodes[0], torch.tensor(0.4, dtype=torch.float64))
        assert tuple(found.tolist()) == pytest.approx(
            exponential_weights(tuple(nodes[:count].tolist()), -0.3, 0.4)
        )


@pytest.mark.parametrize("schedule", ["cosine", "ve"])
def test_learning_brings_it_nearer_to_the_teacher(schedule: str) -> None:
    """Four steps, judged on walks that it was not fitted to."""
    exact = mixture(schedule)
    fine = log_snr(exact.process, 80, 30.0, 0.05)

    def walks(seed: int) -> Walks:
        noise = Noise(seed).normal((32, 3)).double()
        *_, last = trajectory(exact, Heun(), fine, exact.process.scales(fine[0])[1] * noise, rng=Noise(0))
        return Walks(exact, NONE, noise, last.x_s)

    start = (-exact.process.log_ratio(karras(exact.process, 4, 30.0, 0.05)[:-1])).exp().tolist()
    seen = []
    found = fit_sampler(
        [walks(1), walks(2), walks(3)],
        [walks(4)],
        start,
        rounds=150,
        progress=lambda a, b: seen.append((a, b)),
    )
    assert found.error < 0.6 * found.before
    assert seen[-1] == (150, 150) and len(found.levels) == len(found.corrections) == 4
    assert list(found.levels) == sorted(found.levels, reverse=True)
    assert found.levels[0] == pytest.approx(30.0)
