"""The reverse of exchanging tokens, against Bayes' rule on all pairs of two times."""

from __future__ import annotations

import itertools

import torch

from unfog.denoise import ExactTokens
from unfog.process import CosineKeep, UniformProcess
from unfog.rng import Noise
from unfog.sample import Exchange, trajectory
from unfog.verify.tokens import FIRST, THEN


def test_a_step_has_the_marginals_of_the_true_reverse() -> None:
    """p(x_s,i | x_t) summed over all clean texts, for one x_t; drawn often enough to tell."""
    process = UniformProcess(3, CosineKeep())
    exact, count = ExactTokens(process, FIRST, THEN, 2), 80_000
    t, s, seen = 0.7, 0.4, (2, 0)
    kept_t, kept_s = float(process.share(t)), float(process.share(s))

    def q(later: int, earlier: int, kept: float) -> float:
        return kept * (later == earlier) + (1 - kept) / 3

    truth = torch.zeros(2, 3, dtype=torch.float64)
    for x, middle in itertools.product(itertools.product(range(3), repeat=2), repeat=2):
        weight = float(FIRST[x[0]] * THEN[x[0], x[1]])
        for place in range(2):
            weight *= q(middle[place], x[place], kept_s) * q(seen[place], middle[place], kept_t / kept_s)
        for place in range(2):
            truth[place, middle[place]] += weight
    truth /= truth.sum(1, keepdim=True)
    grid, x_t = torch.tensor([t, s], dtype=torch.float64), torch.tensor([seen]).expand(count, -1)
    (step,) = trajectory(exact, Exchange(), grid, x_t, rng=Noise(1))
    found = torch.stack([torch.bincount(step.x_s[:, place], minlength=3) for place in range(2)]) / count
    torch.testing.assert_close(found.double(), truth, rtol=0, atol=5 * 0.5 / count**0.5)


def test_mistakes_can_be_mended() -> None:
    """A text of the law is likelier than a broken one, so broken ones change more often."""
    process, then = UniformProcess(3), torch.tensor([[0.98, 0.01, 0.01]] * 3).roll(1, 1).double()
    exact = ExactTokens(process, FIRST, then, 4)
    grid = torch.tensor([0.2, 0.0], dtype=torch.float64)
    x_t = torch.tensor([[1, 1, 1, 1], [1, 1, 2, 1]]).repeat_interleave(2000, 0)
    (step,) = trajectory(exact, Exchange(), grid, x_t, rng=Noise(1))
    changed = (step.x_s != x_t).double().view(2, 2000, 4).mean(1)
    assert float(changed[1, 2]) > 0.7 > 0.01 > float(changed[0, 1:].max())
