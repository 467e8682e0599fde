"""Ancestral sampling of hidden tokens: exact moments of a step, and no call for nothing."""

from __future__ import annotations

import itertools

import pytest
import torch

from unfog.denoise import ExactTokens
from unfog.process import KEEPS, MaskedProcess
from unfog.rng import Noise
from unfog.sample import Ancestral, even, trajectory
from unfog.verify.tokens import FIRST, THEN


class Counted(ExactTokens):
    """Counts its calls."""

    calls = 0

    def forward(self, x_t, t, cond=None):
        self.calls += 1
        return super().forward(x_t, t)


@pytest.mark.parametrize("keep", KEEPS)
def test_a_step_is_the_true_reverse_of_hiding(keep: str) -> None:
    """From x_t of the forward process, one token alone: x_s has the law of the forward process at s."""
    process = MaskedProcess(4, KEEPS[keep]())
    exact, count = ExactTokens(process, FIRST, THEN, 1), 60_000
    t, s = (float(process.keep.time(torch.tensor(a, dtype=torch.float64))) for a in (0.2, 0.7))
    x_t = process.corrupt(exact.draw(count, Noise(1)), torch.tensor(t, dtype=torch.float64), Noise(2))
    grid = torch.tensor([t, s], dtype=torch.float64)
    (step,) = trajectory(exact, Ancestral(), grid, x_t, rng=Noise(3))
    shares = torch.bincount(step.x_s[:, 0], minlength=4) / count
    truth = torch.cat([0.7 * FIRST, torch.tensor([0.3]).double()])
    torch.testing.assert_close(shares.double(), truth, rtol=0, atol=5 * 0.5 / count**0.5)


def test_the_network_is_asked_once_for_each_change() -> None:
    exact = Counted(MaskedProcess(4), FIRST, THEN, 4)
    steps = list(trajectory(exact, Ancestral(), even(300), torch.full((1, 4), 3), rng=Noise(1)))
    changed = sum(not torch.equal(step.x_t, step.x_s) for step in steps)
    assert exact.calls == changed <= 4
    for step in steps:
        visible = step.x_t != 3
        assert torch.equal(step.x_s[visible], step.x_t[visible])


def test_many_tokens_in_one_step_do_not_see_each_other() -> None:
    """One step gives the product of the marginals: this is what more steps are for."""
    exact, count = ExactTokens(MaskedProcess(4), FIRST, THEN, 2), 60_000
    (step,) = trajectory(exact, Ancestral(), even(1), torch.full((count, 2), 3), rng=Noise(1))
    found = torch.bincount(step.x_s @ torch.tensor([3, 1]), minlength=9) / count
    second = FIRST @ THEN
    truth = torch.tensor([FIRST[a] * second[b] for a, b in itertools.product(range(3), repeat=2)])
    torch.testing.assert_close(found.double(), truth.double(), rtol=0, atol=5 * 0.5 / count**0.5)
