"""The way back: errors beside closed forms, every sampler compared, and nothing skipped."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import unfog
from tests.given import process_of, small_model
from unfog.process import SCHEDULES
from unfog.recipes import explain_walks
from unfog.recipes.explain_subject import ExactSubject, ModelSubject
from unfog.recipes.explain_walks import Plane, clear_up, compare, constant_error, plain, reached, weigh_levels
from unfog.recipes.listen import Silent
from unfog.rng import Noise
from unfog.sample import SAMPLERS
from unfog.spec import Sampling


@pytest.fixture(scope="module")
def exact(shapes: Path) -> ExactSubject:
    return ExactSubject("cosine", str(shapes), Silent())


def test_one_answer_for_all_costs_the_variance() -> None:
    x = 3 + 2 * Noise(0).normal((200, 1, 10, 10))
    assert constant_error(x) == pytest.approx(4, rel=0.05)
    assert constant_error(x[:5]) == pytest.approx(4, rel=0.3)  # few of them flatter nobody


def test_pure_memory_knows_its_own_and_fails_on_others(exact: ExactSubject) -> None:
    found = weigh_levels(exact, 0, Silent())
    assert list(found.lines) == ["exact", "unseen", "pixelwise", "constant"]
    assert found.known == exact.known and found.count == len(exact.shown.x)
    own, unseen = found.lines["exact"], found.lines["unseen"]
    assert own[0] < 1e-9 and unseen[0] > 0.05
    assert own[-1] == pytest.approx(found.lines["constant"][-1], rel=0.15)
    assert (own <= found.lines["constant"] * 1.05).all()
    middle = list(found.decibels).index(0.0)
    assert found.lines["pixelwise"][middle] == pytest.approx(0.5)


def test_a_network_stands_beside_the_memory_of_its_data(run: Path, shapes: Path) -> None:
    subject = ModelSubject(unfog.load(run), str(shapes), 0, Silent())
    found = weigh_levels(subject, 0, Silent())
    assert list(found.lines) == ["network", "memory", "pixelwise", "constant"]
    assert subject.shown.memory is not None and found.known == len(subject.shown.memory.means)
    assert (np.diff(found.lines["network"])[:6] > 0).all()  # more noise, more error


def test_pictures_clear_up(exact: ExactSubject) -> None:
    found = clear_up(exact, 0, Silent())
    assert found.clean is not None and found.noisy.shape == found.clean.shape
    assert found.noisy.shape[:2] == (explain_walks.CLEARING, len(found.t))
    assert found.t[0] > 0.9 and found.t[-1] == 0 and (np.diff(found.t) < 0).all()
    assert (found.noisy[:, -1] == found.clean[:, -1]).all()


def test_every_sampler_is_compared(exact: ExactSubject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_walks, "FINE", 60)
    monkeypatch.setattr(explain_walks, "STEPS", (4, 8))
    found = compare(exact, 0, Silent())
    assert [row.name for row in found.rows] == list(SAMPLERS)
    for row in found.rows:
        kind = SAMPLERS[row.name]
        assert (row.order, row.stochastic) == (kind.order, kind.stochastic)
        for attempt in row.attempts:
            assert attempt.calls >= attempt.steps
            if kind.order and row.name != "restart":  # these two call as often as they find they must
                most = attempt.steps * kind.calls
                assert most - kind.calls < attempt.calls <= most
            assert attempt.pictures.shape == found.reference.shape and math.isfinite(attempt.distance)
        if row.order and not row.stochastic:
            assert row.attempts[-1].plane < row.attempts[0].plane
    shown = plain(found)
    assert [each["sampler"] for each in shown] == list(SAMPLERS)
    assert shown[0]["steps"]["4"]["calls"] == found.rows[0].attempts[0].calls


def test_points_in_the_plane_come_closer_with_more_steps() -> None:
    plane = Plane(process_of("cosine"), Sampling(), seed=0)
    first, second = ([plane.error(name, n) for n in (50, 100)] for name in ("ddim", "heun"))
    assert first[0] / first[1] == pytest.approx(2, rel=0.2)  # as the orders say
    assert second[0] / second[1] > 3.5
    assert torch.equal(plane.end(explain_walks.REFERENCE, explain_walks.FINE), plane.fine)


def test_a_short_chain_is_explained_within_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_walks, "FINE", 20)
    monkeypatch.setattr(explain_walks, "STEPS", (2, 200))
    subject = ModelSubject(small_model(schedule={"kind": "ddpm", "steps": 20}), None, 0, Silent())
    found = {row.name: row for row in compare(subject, 0, Silent()).rows}
    assert found["ddpm"].attempts[0].pictures is not None and found["ddpm"].attempts[1].pictures is None
    assert found["ddim"].attempts[1].pictures is not None
    assert len(clear_up(subject, 0, Silent()).t) <= 21
    levels = reached(subject.process)
    assert 0 < len(levels) <= len(explain_walks.DECIBELS)


@pytest.mark.parametrize("schedule", list(SCHEDULES))
def test_the_published_schedules_reach_all_levels(schedule: str) -> None:
    assert (reached(process_of(schedule)) == explain_walks.DECIBELS).all()
