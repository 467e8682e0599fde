"""The checks of text find a wrong bound, a wrong posterior, a wrong share."""

from __future__ import annotations

import pytest
import torch

from unfog.denoise import CategoricalPosterior, categorical
from unfog.evaluate import tokens as evaluated
from unfog.process import LinearKeep, MaskedProcess, UniformProcess
from unfog.verify import tokens


def test_a_bound_with_the_wrong_weight_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LinearKeep, "alpha_rate", lambda self, t: -1.001 * torch.ones_like(t))
    failed = {result.entry for result in tokens.token_bound_is_entropy() if not result.passed}
    assert {"masked, linear", "masked, linear, mean", "uniform, linear", "uniform, linear, mean"} <= failed
    assert not any("cosine" in entry for entry in failed)


def test_the_own_token_counted_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluated, "leave_one_out", lambda posterior, process, t: posterior.rows)
    failed = {result.entry for result in tokens.token_bound_is_entropy() if not result.passed}
    assert {"uniform, linear", "uniform, cosine", "uniform, linear, drawn"} <= failed
    assert not any(entry.startswith("masked") for entry in failed)


def test_a_posterior_that_is_too_sure_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = categorical._asked
    monkeypatch.setattr(categorical, "_asked", lambda *arguments: 1.01 * inner(*arguments))
    assert not all(result.passed for result in tokens.posteriors_are_bayes())


@pytest.mark.parametrize("kind", [MaskedProcess, UniformProcess])
def test_a_share_that_is_too_small_is_found(monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
    inner = kind.corrupt

    def corrupt(self, x, t, rng):
        return inner(self, x, 0.95 * t, rng)

    monkeypatch.setattr(kind, "corrupt", corrupt)
    assert not all(result.passed for result in tokens.noise_loses_its_share())


def test_a_schedule_with_a_wrong_inverse_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LinearKeep, "time", lambda self, alpha: 1 - alpha**1.001)
    assert not all(result.passed for result in tokens.keeps_invert())


def test_guidance_without_normalisation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        CategoricalPosterior,
        "extrapolate",
        lambda self, other, scale: self.with_rows(other.rows + scale * (self.rows - other.rows)),
    )
    assert not all(result.passed for result in tokens.guidance_of_tokens())
