"""The score of the moons is the gradient of their density, and both ways back find them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.given import process_of, time_at
from unfog.process import SCHEDULES
from unfog.recipes import explain_toy
from unfog.recipes.explain_toy import BLOB, in_upper, lead, moons, play, score_field
from unfog.rng import Noise
from unfog.sample import DDPM, Heun


def test_the_moons_are_centred_and_of_unit_spread() -> None:
    exact = moons(process_of("cosine"))
    assert torch.allclose(exact.means.mean(0), torch.zeros(2).double(), atol=1e-9)
    assert torch.allclose(exact.means.std(0, correction=0), torch.ones(2).double())
    assert in_upper(exact, exact.means.numpy()) == 0.5
    upper, lower = exact.means[0::2], exact.means[1::2]
    assert upper[:, 1].mean() > lower[:, 1].mean()


@pytest.mark.parametrize("schedule", ["cosine", "ve", "flow"])
def test_arrows_are_the_gradient_of_the_log_density(schedule: str) -> None:
    process, level = process_of(schedule), 0.4
    exact = moons(process)
    found = score_field(exact, level, torch.zeros(1, 2).double(), torch.zeros(1, 2).double())
    t = time_at(process, -math.log(level))
    alpha, sigma = process.scales(t)
    x = (alpha * torch.from_numpy(found.places)).requires_grad_()
    (gradient,) = torch.autograd.grad(exact.log_density(x, t).sum(), x)
    assert np.allclose(found.arrows, (sigma * gradient).numpy(), atol=1e-8)


def test_schedules_give_the_same_field_and_flow() -> None:
    found = []
    start = Noise(0).normal((4, 2)).double()
    for name in SCHEDULES:
        exact = moons(process_of(name))
        zero = torch.zeros(1, 2).double()
        found.append((score_field(exact, 0.4, zero, zero).arrows, lead(exact, Heun(), start, 24, 0)))
    for arrows, paths in found[1:]:
        assert np.allclose(arrows, found[0][0], atol=1e-9)
        # but for the very end, where VE and EDM keep a little noise
        assert np.allclose(paths[:, :-1], found[0][1][:, :-1], atol=1e-6)


@pytest.mark.parametrize("sampler", [Heun(), DDPM()], ids=["flow", "chain"])
def test_walks_end_on_the_moons_half_on_each(sampler: Heun | DDPM) -> None:
    exact, count = moons(process_of("cosine")), 400
    start = Noise(0).normal((count, 2)).double()
    paths = lead(exact, sampler, start, 60, seed=1)
    assert paths.shape == (count, 61, 2)
    assert np.allclose(paths[:, 0], start.numpy())
    nearest = torch.cdist(torch.from_numpy(paths[:, -1]), exact.means).min(1).values
    assert float(nearest.max()) < 6 * BLOB
    assert in_upper(exact, paths[:, -1]) == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(count))


def test_the_flow_forgets_nothing_and_the_chain_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_toy, "WALKS", 60)
    one, two = (play(process_of("cosine"), seed=3) for _ in range(2))
    assert (one.wander == two.wander).all()
    assert np.allclose(one.flow[: len(one.wander), 0], one.wander[:, 0])
    turns = [np.abs(np.diff(paths, n=2, axis=1)).mean() for paths in (one.flow, one.wander)]
    assert turns[1] > 2 * turns[0]
    assert [field.level for field in one.fields] == list(explain_toy.NOISE_LEVELS)
    assert one.upper["data"] == 0.5
