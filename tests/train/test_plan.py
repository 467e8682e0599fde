"""The plan: the learning rate rises, stays and falls to nothing; a time budget finds its end by itself."""

from __future__ import annotations

from itertools import pairwise

import pytest

from unfog.train import TrainConfig
from unfog.train.plan import Plan


def rates(plan: Plan) -> list[float]:
    assert plan.total is not None
    return [plan.learning_rate(step) for step in range(plan.total)]


def test_it_rises_stays_and_falls() -> None:
    found = rates(Plan.of(TrainConfig(steps=1000, warmup=100, decay=0.4)))
    assert found[0] == pytest.approx(0.01) and found[49] == pytest.approx(0.5)
    assert found[99:600] == [1.0] * 501
    assert found[800] == pytest.approx(0.5) and found[-1] == pytest.approx(1 / 400)
    assert all(rate > 0 for rate in found), "no step is wasted"
    assert all(a <= b for a, b in pairwise(found[:101]))
    assert all(a > b for a, b in pairwise(found[600:]))


@pytest.mark.parametrize("steps", [1, 2, 5, 30, 120])
@pytest.mark.parametrize("decay", [0.01, 0.5, 1.0])
def test_short_runs_do_not_spend_themselves_on_rising(steps: int, decay: float) -> None:
    found = rates(Plan.of(TrainConfig(steps=steps, warmup=100, decay=decay)))
    assert all(0 < rate <= 1 for rate in found)
    if steps >= 30:
        assert max(found) > 0.75
        assert found.index(max(found)) <= steps / 4


def test_no_warm_up() -> None:
    assert rates(Plan.of(TrainConfig(steps=10, warmup=0, decay=0.1)))[0] == 1.0


def test_steps_win_over_minutes_and_ten_minutes_is_the_default() -> None:
    assert Plan.of(TrainConfig(steps=7, minutes=3)).total == 7
    assert Plan.of(TrainConfig(minutes=3)).seconds == 180
    assert Plan.of(TrainConfig()).seconds == 600
    assert Plan.of(TrainConfig()).total is None


def run(plan: Plan, seconds_per_step: float) -> tuple[int, float, list[float]]:
    """Follow a plan: (steps taken, time, learning rates)."""
    step, found = 0, []
    while plan.total is None or step < plan.total:
        found.append(plan.learning_rate(step))
        step += 1
        plan.settle(step, step * seconds_per_step)
    return step, step * seconds_per_step, found


@pytest.mark.parametrize("seconds_per_step", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("decay", [0.1, 0.5, 1.0])
def test_a_time_budget_is_kept(seconds_per_step: float, decay: float) -> None:
    plan = Plan.of(TrainConfig(minutes=1, warmup=10, decay=decay))
    steps, seconds, found = run(plan, seconds_per_step)
    assert seconds == pytest.approx(60, abs=2 * seconds_per_step)
    assert found[-1] < 0.3, "it ends low"
    if decay < 1:
        assert max(found) == 1.0
        assert all(abs(a - b) < 0.25 for a, b in pairwise(found)), "without a jump"
    assert len(found) == steps


@pytest.mark.parametrize("cost", [1.0, 1.5, 2.0])
def test_steps_that_take_longer_at_the_end_are_planned_for(cost: float) -> None:
    plan, step, spent = Plan.of(TrainConfig(minutes=1, decay=0.5)), 0, 0.0
    while plan.total is None or step < plan.total:
        spent += 0.1 * (cost if plan.falls(step) else 1.0)
        step += 1
        plan.settle(step, spent, cost)
    assert spent == pytest.approx(60, abs=0.5)


def test_it_is_late_when_the_learning_rate_falls() -> None:
    plan = Plan.of(TrainConfig(steps=40, decay=0.25, warmup=3))
    assert [plan.falls(step) for step in range(40)] == [False] * 31 + [True] * 9
    assert all(plan.falls(step) == (plan.learning_rate(step) < 1) for step in range(5, 40))
    assert not Plan.of(TrainConfig(minutes=1)).falls(10**6), "with a time budget nobody knows yet"


def test_a_plan_once_made_is_kept() -> None:
    plan = Plan.of(TrainConfig(minutes=1, decay=0.5))
    assert not plan.settle(10, 29.9)
    assert plan.settle(100, 30.1)
    total = plan.total
    assert total == 100 + round(29.9 / 0.301)
    assert not plan.settle(101, 55.0), "only once"
    assert plan.total == total


def test_a_number_of_steps_is_never_replanned() -> None:
    plan = Plan.of(TrainConfig(steps=50))
    assert not plan.settle(40, 1e9) and plan.total == 50


def test_a_budget_that_is_over_leaves_one_last_step() -> None:
    plan = Plan.of(TrainConfig(minutes=0.01))
    assert not plan.settle(4, 100.0), "the speed is not known yet"
    assert plan.settle(5, 100.0) and plan.total == 6


def test_the_expected_end_is_for_people() -> None:
    plan = Plan.of(TrainConfig(minutes=1))
    assert plan.expected(0, 0.0) >= 1
    assert plan.expected(10, 2.0) == 300
    assert plan.expected(10, 120.0) == 11, "always at least one more"
    assert Plan.of(TrainConfig(steps=9)).expected(3, 1.0) == 9
