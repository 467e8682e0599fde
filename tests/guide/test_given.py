"""Known tokens: put back, certain, untouched, and no neighbour of a guide."""

from __future__ import annotations

import pytest
import torch

from unfog.condition import NONE, Condition
from unfog.denoise import CategoricalPosterior, Denoiser, ExactTokens
from unfog.errors import SampleError
from unfog.guide import ClassifierFree, Given
from unfog.process import MaskedProcess, UniformProcess
from unfog.rng import Noise
from unfog.sample import TOKEN_SAMPLERS, even, trajectory
from unfog.verify.naming import process_for
from unfog.verify.tokens import FIRST, THEN

T = torch.tensor(0.5, dtype=torch.float64)
WHERE = torch.tensor([[True, False, False], [False, False, True]])
TOKENS = torch.tensor([[1, 9, 9], [9, 9, 0]])


class Asked(Denoiser[MaskedProcess, CategoricalPosterior]):
    """The chain, and what it was asked; the condition is only counted."""

    def __init__(self) -> None:
        super().__init__()
        self.process, self.seen = MaskedProcess(4), torch.zeros(0)
        self.exact = ExactTokens(self.process, FIRST, THEN, 3)

    def forward(self, x_t, t, cond=NONE):
        self.seen = x_t
        assert cond.vector is None or len(cond.vector) == len(x_t)
        return self.exact(x_t, t)


def test_known_tokens_are_shown_to_the_network_and_settled() -> None:
    inner = Asked()
    posterior = Given(inner, TOKENS, WHERE)(torch.full((2, 3), 3), T)
    assert inner.seen.tolist() == posterior.x_t.tolist() == [[1, 3, 3], [3, 3, 0]]
    assert torch.equal(posterior.open, ~WHERE)
    assert posterior.log_probs[WHERE].exp().max(1).values.tolist() == [1.0, 1.0]
    torch.testing.assert_close(posterior.log_probs[0, 1, :3].exp(), THEN[1])
    assert bool((posterior.guess[WHERE] == TOKENS[WHERE]).all())


def test_a_wrong_token_in_a_known_place_is_replaced() -> None:
    x_t = torch.tensor([[0, 2, 2], [2, 2, 2]])
    assert Given(Asked(), TOKENS, WHERE)(x_t, T).x_t.tolist() == [[1, 2, 2], [2, 2, 0]]


@pytest.mark.parametrize("name", TOKEN_SAMPLERS)
def test_they_stay_through_every_step_also_where_the_walk_starts_without_them(name: str) -> None:
    sampler = TOKEN_SAMPLERS[name]()
    process = process_for(sampler)
    exact = ExactTokens(process, FIRST, THEN, 3)
    known = Given(exact, TOKENS.repeat(20, 1), WHERE.repeat(20, 1))
    *_, last = trajectory(known, sampler, even(5), process.prior((40, 3), Noise(1)), rng=Noise(2))
    assert torch.equal(last.x_s[WHERE.repeat(20, 1)], TOKENS[WHERE].repeat(20))
    assert int(last.x_s.max()) < 3


@pytest.mark.parametrize("inside", [True, False])
def test_guidance_may_stand_before_or_behind(inside: bool) -> None:
    say, null = (Condition(vector=torch.full((2, 1), value)) for value in (1.0, 0.0))
    x_t, plain = torch.full((2, 3), 3), Given(Asked(), TOKENS, WHERE)
    if inside:
        guided = Given(ClassifierFree(Asked(), null, 2.0), TOKENS, WHERE)
    else:
        guided = ClassifierFree(plain, null, 2.0)
    # both questions have the same answer here, so guidance changes nothing
    torch.testing.assert_close(guided(x_t, T, say).log_probs, plain(x_t, T, say).log_probs)
    assert guided(x_t, T, say).given is not None


def test_uniform_noise_keeps_them_too() -> None:
    exact = ExactTokens(UniformProcess(3), FIRST, THEN, 3)
    posterior = Given(exact, TOKENS, WHERE)(torch.full((2, 3), 2), T)
    assert posterior.x_t.tolist() == [[1, 2, 2], [2, 2, 0]] and torch.equal(posterior.open, ~WHERE)


def test_tokens_and_places_must_fit() -> None:
    with pytest.raises(SampleError, match="one true or false for each"):
        Given(Asked(), TOKENS, WHERE[:1])
    with pytest.raises(SampleError, match="int64"):
        Given(Asked(), TOKENS, WHERE.long())
