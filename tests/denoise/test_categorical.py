"""Posteriors of tokens: what is open, what is carried over, and the own token taken out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from unfog.condition import Condition
from unfog.denoise import CategoricalPosterior, ExactTokens, MaskedDenoiser, UniformDenoiser, leave_one_out
from unfog.process import CosineKeep, MaskedProcess, UniformProcess
from unfog.verify.tokens import FIRST, THEN

T = torch.tensor(0.3, dtype=torch.float64)


class Lookup(nn.Module):
    """Logits by token and place, so that nothing is symmetric; remembers what it was asked."""

    def __init__(self, vocabulary: int, logits: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(3)
        self.table = nn.Parameter(torch.randn(vocabulary, logits, generator=rng))
        self.asked: list[tuple[Tensor, Tensor, dict[str, Tensor]]] = []

    def forward(self, tokens: Tensor, clock: Tensor, **slots: Tensor) -> Tensor:
        self.asked.append((tokens, clock, slots))
        return self.table[tokens] + torch.arange(tokens.shape[1])[:, None] * self.table[tokens].flip(2)


class TwoParts(nn.Module):
    """The same in two parts, as networks have it that name chosen positions only; counts the named ones."""

    def __init__(self, whole: Lookup) -> None:
        super().__init__()
        self.whole, self.named = whole, 0

    def hidden(self, tokens: Tensor, vector: Tensor | None = None) -> Tensor:
        return self.whole(tokens, torch.zeros(len(tokens)))

    def logits_of(self, hidden: Tensor) -> Tensor:
        self.named += len(hidden)
        return hidden


X_T = torch.tensor([[3, 0, 3], [1, 2, 0], [3, 3, 3]])
X = torch.tensor([[2, 0, 1], [1, 2, 0], [0, 1, 2]])


@pytest.mark.parametrize("logits", [3, 4])
def test_visible_tokens_are_carried_over_and_mask_is_never_said(logits: int) -> None:
    network = Lookup(4, logits)
    posterior = MaskedDenoiser(network, MaskedProcess(4))(X_T, T)
    probs = posterior.log_probs.exp()
    assert probs.shape == (3, 3, 4)
    torch.testing.assert_close(probs.sum(2), torch.ones(3, 3))
    assert not bool(probs[..., 3].any())
    shown = X_T != 3
    assert torch.equal(probs[shown], nn.functional.one_hot(X_T, 4)[shown].float())
    expected = network(X_T, T.expand(3))[..., :3].log_softmax(2)
    torch.testing.assert_close(posterior.rows, expected[~shown])


def test_the_clock_is_that_of_each_example_and_finite() -> None:
    network, process = Lookup(4, 4), MaskedProcess(4, CosineKeep())
    MaskedDenoiser(network, process)(X_T, torch.tensor([0.0, 0.5, 1.0]), Condition(vector=torch.ones(3, 2)))
    _, clock, slots = network.asked[-1]
    assert clock.shape == (3,) and bool(clock.isfinite().all()) and bool((clock.diff() < 0).all())
    assert float(clock[1]) == pytest.approx(float(process.log_ratio(0.5)))
    assert slots["vector"].shape == (3, 2)


@pytest.mark.parametrize("kind", ["masked", "uniform"])
def test_networks_in_two_parts_name_open_positions_only(kind: str) -> None:
    whole = Lookup(4, 4)
    parts = TwoParts(whole)
    if kind == "masked":
        one, two = (MaskedDenoiser(net, MaskedProcess(4))(X_T, T) for net in (whole, parts))
    else:
        one, two = (UniformDenoiser(net, UniformProcess(4))(X_T, T) for net in (whole, parts))
    torch.testing.assert_close(one.rows, two.rows)
    assert parts.named == int(one.open.sum()) == (5 if kind == "masked" else 9)


def test_cross_entropy_counts_open_positions_and_reaches_the_network() -> None:
    network = Lookup(4, 4)
    posterior = MaskedDenoiser(network, MaskedProcess(4))(X_T, T)
    loss = posterior.divergence(X)
    every = -posterior.log_probs.gather(2, X[..., None])[..., 0]
    torch.testing.assert_close(loss, torch.where(X_T == 3, every, 0.0).sum(1))
    assert float(loss[1].detach()) == 0.0  # nothing is hidden there
    loss.sum().backward()
    assert network.table.grad is not None and float(network.table.grad[3].abs().sum()) > 0


def test_half_precision_networks_give_single_precision() -> None:
    posterior = MaskedDenoiser(Lookup(4, 4).bfloat16(), MaskedProcess(4))(X_T, T)
    assert posterior.rows.dtype == torch.float32
    torch.testing.assert_close(posterior.rows.exp().sum(1), torch.ones(5))


def test_the_guess_is_the_most_likely_text() -> None:
    posterior = MaskedDenoiser(Lookup(4, 4), MaskedProcess(4))(X_T, T)
    assert torch.equal(posterior.guess, posterior.log_probs.argmax(2))


def test_halves_and_choices_keep_rows_with_their_examples() -> None:
    network = Lookup(4, 4)
    denoiser = MaskedDenoiser(network, MaskedProcess(4))
    x_t = torch.cat([X_T, X_T.roll(1, 0)])
    for half, alone in zip(denoiser(x_t, T).halves(), (X_T, X_T.roll(1, 0)), strict=True):
        torch.testing.assert_close(half.log_probs, denoiser(alone, T).log_probs)
    one = denoiser(X_T, T)
    other = one.with_rows(one.rows.flip(1))
    mixed = one.where(torch.tensor([True, True, False]), other)
    torch.testing.assert_close(mixed.log_probs[:2], one.log_probs[:2])
    torch.testing.assert_close(mixed.log_probs[2], other.log_probs[2])
    assert torch.equal(one.where(torch.tensor(True), other).rows, one.rows)


def test_of_dense_log_probabilities_only_open_rows_are_kept() -> None:
    log_probs = torch.randn(2, 3, 5).log_softmax(2)
    open = torch.tensor([[True, False, True], [False, False, True]])
    posterior = CategoricalPosterior.of(log_probs, torch.full((2, 3), 1), open)
    assert posterior.vocabulary == 5 and len(posterior.rows) == 3
    torch.testing.assert_close(posterior.log_probs[open], log_probs[open])


def test_closing_positions_settles_them() -> None:
    posterior = MaskedDenoiser(Lookup(4, 4), MaskedProcess(4))(X_T, T)
    where = torch.tensor([[True, True, False], [False] * 3, [False, True, False]])
    closed = posterior.close(X, where)
    assert torch.equal(closed.x_t, torch.where(where, X, X_T))
    assert torch.equal(closed.open, (X_T == 3) & ~where)
    torch.testing.assert_close(closed.log_probs[closed.open], posterior.log_probs[closed.open])
    assert closed.given is not None and torch.equal(closed.given, where)
    again = closed.close(X, torch.tensor([[False, False, True]] * 3))
    assert again.given is not None and int(again.given.sum()) == 6


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 3.0])
def test_extrapolation_is_of_log_probabilities(scale: float) -> None:
    one = CategoricalPosterior(torch.randn(4, 5).log_softmax(1), X_T, X_T == 3, 6)
    other = one.with_rows(torch.randn(4, 5).log_softmax(1))
    mixed = (one.rows * scale + other.rows * (1 - scale)).softmax(1)
    torch.testing.assert_close(one.extrapolate(other, scale).rows.exp(), mixed)


def test_the_own_token_is_taken_out_and_put_back() -> None:
    process = UniformProcess(3, CosineKeep())
    exact = ExactTokens(process, FIRST, THEN, 3)
    x_t, t = exact.sequences, torch.linspace(0.1, 0.9, 27, dtype=torch.float64)
    posterior = exact(x_t, t)
    others = leave_one_out(posterior, process, t).view(27, 3, 3)
    for place in range(3):
        # whatever stands in that place, the others say the same
        for token in range(3):
            changed = x_t.clone()
            changed[:, place] = token
            found = leave_one_out(exact(changed, t), process, t).view(27, 3, 3)
            torch.testing.assert_close(found[:, place], others[:, place], rtol=1e-8, atol=1e-10)
    odds = process.log_odds(t)[:, None, None] * nn.functional.one_hot(x_t, 3)
    back = (others + odds).log_softmax(2)
    torch.testing.assert_close(back.flatten(0, 1), posterior.rows, rtol=1e-9, atol=1e-9)


def test_a_network_may_speak_of_the_others_alone() -> None:
    process, network = UniformProcess(4), Lookup(4, 4).double()
    x_t = X_T
    posterior = UniformDenoiser(network, process, adds_own=True)(x_t, T)
    said = network(x_t, T.expand(3)).log_softmax(2).flatten(0, 1)
    torch.testing.assert_close(leave_one_out(posterior, process, T), said)
    assert float((posterior.rows - said).detach().abs().max()) > 0.5
