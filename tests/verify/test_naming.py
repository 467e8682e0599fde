"""The checks of samplers of text find a wrong law, a wrong pace, a prompt that moves."""

from __future__ import annotations

import pytest
import torch

from unfog.guide import Given
from unfog.process import MaskedProcess
from unfog.sample import Confidence, Remask, exchange, ordered, tokens
from unfog.verify import naming


def failed(check) -> set[str]:
    """The entries that did not pass, up to the first comma."""
    return {result.entry.split(",")[0] for result in check() if not result.passed}


def test_the_own_token_counted_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "leave_one_out", lambda posterior, process, t: posterior.rows)
    assert failed(naming.tokens_come_back) == {"uniform"}


def test_a_pace_that_is_too_fast_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    reveal = MaskedProcess.reveal
    monkeypatch.setattr(MaskedProcess, "reveal", lambda self, t, s: min(1.0, 1.2 * reveal(self, t, s)))
    assert {"ancestral", "confidence", "random"} <= failed(naming.steps_name_their_share)


def test_a_lower_temperature_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = tokens.tempered
    monkeypatch.setattr(tokens, "tempered", lambda rows, temperature, top_p: right(rows, 0.9 * temperature))
    assert "confidence" in failed(naming.order_keeps_the_law)


def test_remasking_that_is_not_made_up_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = Remask.rates
    monkeypatch.setattr(
        Remask, "rates", lambda self, kept_t, kept_s: (rates(self, kept_t, kept_s)[0], kept_s - kept_t)
    )
    assert {"cap", "rescale"} <= failed(naming.steps_name_their_share)


def test_the_least_sure_first_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Confidence, "certainty", lambda self, rows, lots: -rows.amax(1))
    assert "confidence" in failed(naming.surest_come_first)


def test_an_order_that_looks_at_what_was_drawn_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual mistake: of two draws the likelier one first."""

    def draws_first(self, rows, lots):
        token = tokens.drawn(rows.double().exp(), lots)
        return rows.gather(1, token[:, None])[:, 0]

    right = ordered.places
    same: list[torch.Tensor] = []

    def places(shape, rng):
        # the numbers by which the order draws are those by which tokens are drawn
        same.append(right(shape, rng) if len(same) % 2 == 0 else same[-1])
        return same[-1]

    monkeypatch.setattr(Confidence, "certainty", draws_first)
    monkeypatch.setattr(ordered, "places", places)
    assert "confidence" in failed(naming.order_keeps_the_law)


def test_a_prompt_that_moves_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Given, "forward", lambda self, x_t, t, cond=None: self.inner(x_t, t))
    assert "remask" in failed(naming.given_tokens_stay) and "uniform" in failed(naming.given_tokens_stay)
