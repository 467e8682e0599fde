"""Remasking: as many are hidden as should be, some of them again, and given ones never."""

from __future__ import annotations

import pytest
import torch

from unfog.denoise import ExactTokens
from unfog.errors import SampleError
from unfog.guide import Given
from unfog.process import MaskedProcess
from unfog.rng import Noise
from unfog.sample import Ancestral, Remask, even, trajectory
from unfog.verify.tokens import FIRST, THEN


@pytest.mark.parametrize(
    ("sampler", "kept_t", "kept_s", "sigma"),
    [
        (Remask(eta=0.1), 0.5, 0.6, 0.1),
        (Remask(eta=0.9), 0.5, 0.6, 0.8),
        (Remask("rescale", eta=0.25), 0.5, 0.6, 0.2),
        (Remask("rescale", eta=0.5), 0.2, 0.3, 0.5),
        (Remask(eta=0.3), 0.9, 1.0, 0.0),
    ],
)
def test_rates_are_those_of_the_paper_and_keep_the_share(
    sampler: Remask, kept_t: float, kept_s: float, sigma: float
) -> None:
    hides, names = sampler.rates(kept_t, kept_s)
    assert hides == pytest.approx(sigma)
    assert 0 <= names <= 1
    assert kept_t * (1 - hides) + (1 - kept_t) * names == pytest.approx(kept_s)


def test_without_remasking_it_is_ancestral() -> None:
    exact, x = ExactTokens(MaskedProcess(4), FIRST, THEN, 5), torch.full((20, 5), 3)
    for kind in ("cap", "rescale"):
        *_, ours = trajectory(exact, Remask(kind, eta=0.0), even(9), x, rng=Noise(4))
        *_, theirs = trajectory(exact, Ancestral(), even(9), x, rng=Noise(4))
        assert torch.equal(ours.x_s, theirs.x_s)


def test_tokens_change_their_mind_but_given_ones_do_not() -> None:
    exact = ExactTokens(MaskedProcess(4), FIRST, THEN, 5)
    where = torch.tensor([True, False, False, False, True]).expand(40, 5)
    known = Given(exact, torch.full((40, 5), 1), where)
    start, hidden_again = known.put_back(torch.full((40, 5), 3)), 0
    for step in trajectory(known, Remask(eta=0.3), even(20), start, rng=Noise(1)):
        hidden_again += int(((step.x_t != 3) & (step.x_s == 3)).sum())
        assert bool((step.x_s[where] == 1).all())
    assert hidden_again > 40
    assert int(step.x_s.max()) < 3


def test_kinds_and_shares_that_do_not_exist_are_refused() -> None:
    with pytest.raises(SampleError, match="cap"):
        Remask("caps")
    with pytest.raises(SampleError, match="eta"):
        Remask(eta=1.5)
