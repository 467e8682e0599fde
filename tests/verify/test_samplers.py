"""The checks of samplers find a sampler that is worse than it says."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from unfog.sample import DDIM, SAMPLERS
from unfog.verify.check import inner_grid, marginal, process_of
from unfog.verify.samplers import (
    chain_moments,
    churn_has_its_size,
    deterministic_order,
    memory_is_found,
    restart_walks_as_finely,
    stochastic_moments,
    what_was_learned_is_added,
)


@dataclass(frozen=True)
class Boastful(DDIM):
    """Claims an order that it does not have."""

    order = 2


@dataclass(frozen=True)
class Timid(DDIM):
    """Adds noise without taking any away."""

    stochastic = True

    def step(self, denoiser, x_t, t, s, cond, rng, state):
        x_s, state = super().step(denoiser, x_t, t, s, cond, rng, state)
        return x_s + 0.05 * denoiser.process.scales(s)[1] * rng.normal(x_t.shape, like=x_t), state


@dataclass(frozen=True)
class Lost(DDIM):
    """Stops a little beside the point."""

    def step(self, denoiser, x_t, t, s, cond, rng, state):
        x_s, state = super().step(denoiser, x_t, t, s, cond, rng, state)
        return x_s + 0.05, state


def failed(check) -> set[str]:
    return {result.entry.split(",")[0] for result in check() if not result.passed}


def test_a_wrong_order_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SAMPLERS, "boastful", Boastful)
    assert failed(deterministic_order) == {"boastful"}


def test_wrong_noise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SAMPLERS, "timid", Timid)
    assert failed(stochastic_moments) == {"timid"}


def test_missing_the_examples_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SAMPLERS, "lost", Lost)
    assert failed(memory_is_found) == {"lost"}


def test_moments_of_a_chain_without_noise_are_those_of_the_flow() -> None:
    process = process_of("cosine")
    grid = inner_grid(process, 400)

    @dataclass(frozen=True)
    class Silent(DDIM):
        def step(self, denoiser, x_t, t, s, cond, rng, state):
            rng.normal(x_t.shape)
            return super().step(denoiser, x_t, t, s, cond, rng, state)

    found, truth = chain_moments(process, Silent(), grid), marginal(process, grid[-1])
    assert torch.tensor(found).tolist() == pytest.approx(list(truth), rel=0.02)


def test_a_restart_that_walks_too_coarsely_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(result.passed for result in restart_walks_as_finely())
    monkeypatch.setattr("unfog.sample.restart.round", lambda steps: 1, raising=False)
    assert not all(result.passed for result in restart_walks_as_finely())


def test_what_was_learned_must_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    (right,) = what_was_learned_is_added()
    assert right.passed
    monkeypatch.setattr("unfog.sample.learned.combine", lambda known, weights: 0.0)
    (wrong,) = what_was_learned_is_added()
    assert not wrong.passed


def test_a_churn_of_another_size_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(result.passed for result in churn_has_its_size())
    monkeypatch.setattr("unfog.verify.samplers.churned", lambda process, x, t, churn, rng: (x, t))
    assert not any(result.passed for result in churn_has_its_size())
