"""The listed law of tokens against sums written out by hand."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from unfog.denoise import ExactTokens
from unfog.errors import ConfigError
from unfog.process import CosineKeep, DiscreteProcess, MaskedProcess, UniformProcess
from unfog.rng import Noise
from unfog.verify.tokens import FIRST, THEN


def probability(text: tuple[int, ...]) -> float:
    """Of the chain, term by term."""
    found = float(FIRST[text[0]])
    for before, after in itertools.pairwise(text):
        found *= float(THEN[before, after])
    return found


def kernel(process: DiscreteProcess, seen: int, true: int, t: float) -> float:
    """q(x_t | x) of one token."""
    alpha = float(process.share(t))
    if isinstance(process, MaskedProcess):
        return 1 - alpha if seen == process.mask else alpha * (seen == true)
    return alpha * (seen == true) + (1 - alpha) / process.vocabulary


@pytest.mark.parametrize("process", [MaskedProcess(4, CosineKeep()), UniformProcess(3, CosineKeep())])
def test_posteriors_are_bayes_rule(process: DiscreteProcess) -> None:
    exact, t = ExactTokens(process, FIRST, THEN, 3), 0.55
    x_t = torch.cartesian_prod(*[torch.arange(process.vocabulary)] * 3)
    shared = exact(x_t, torch.tensor(t))
    probs, likelihood = shared.log_probs.exp(), exact.log_likelihood(x_t, t).exp()
    each = exact(x_t, torch.full((len(x_t),), t, dtype=torch.float64))
    torch.testing.assert_close(each.rows, shared.rows)
    texts = list(itertools.product(range(3), repeat=3))
    for number, seen in enumerate(x_t.tolist()):
        weights = [
            probability(text) * math.prod(kernel(process, z, x, t) for z, x in zip(seen, text, strict=True))
            for text in texts
        ]
        assert float(exact.log_law.exp() @ likelihood[number]) == pytest.approx(sum(weights))
        for place, token in itertools.product(range(3), range(3)):
            wanted = sum(w for w, text in zip(weights, texts, strict=True) if text[place] == token)
            assert float(probs[number, place, token]) == pytest.approx(wanted / sum(weights))


def test_the_law_is_listed_and_drawn() -> None:
    exact = ExactTokens(MaskedProcess(4), FIRST, THEN, 4)
    texts = list(itertools.product(range(3), repeat=4))
    assert exact.sequences.tolist() == [list(text) for text in texts]
    found = exact.log_prob(torch.tensor(texts)).exp()
    truth = torch.tensor([probability(text) for text in texts], dtype=torch.float64)
    torch.testing.assert_close(found, truth)
    assert exact.entropy() == pytest.approx(-float(truth @ truth.log()))
    drawn = exact.draw(40_000, Noise(1))
    number = (drawn * torch.tensor([27, 9, 3, 1])).sum(1)
    counts, expected = torch.bincount(number, minlength=81), truth * 40_000
    assert float(((counts - expected) ** 2 / expected).sum()) < 80 + 5 * (2 * 80) ** 0.5


def test_one_token_alone_is_a_chain_too() -> None:
    exact = ExactTokens(MaskedProcess(4), FIRST, THEN, 1)
    torch.testing.assert_close(exact(torch.tensor([[3]]), torch.tensor(1.0)).rows.exp(), FIRST[None])


def test_chains_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="has 2 tokens"):
        ExactTokens(MaskedProcess(3), FIRST, THEN, 3)
    with pytest.raises(ConfigError, match="too many to list"):
        ExactTokens(MaskedProcess(4), FIRST, THEN, 30)
