"""The watchdog: what it calls trouble, what it lets pass, and when it gives up."""

from __future__ import annotations

import json
import math
import random

import pytest

from unfog.errors import TrainError
from unfog.train import Watch
from unfog.train.watch import MOST_ROLLBACKS, PATIENCE, TOO_HIGH


def fed(losses: list[float]) -> tuple[Watch, list[str | None]]:
    watch = Watch()
    return watch, [watch.observe(loss, 1.0) for loss in losses]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_noticed_at_once(bad: float) -> None:
    assert "loss" in (Watch().observe(bad, 1.0) or "")
    assert "gradient" in (Watch().observe(1.0, bad) or "")


def test_a_run_as_it_should_be_is_left_alone() -> None:
    """Falling, with noise, single outliers, and a late plateau."""
    rng = random.Random(0)
    losses = [0.1 + math.exp(-step / 50) * rng.uniform(0.6, 1.4) for step in range(600)]
    losses[300] = losses[450] = 40.0
    watch, said = fed(losses)
    assert said == [None] * 600 and watch.healthy()


def test_divergence_takes_patience() -> None:
    watch, said = fed([1.0] * 60 + [10.0] * (PATIENCE - 1))
    assert said == [None] * len(said) and not watch.healthy()
    assert f"{TOO_HIGH:g} times" in (watch.observe(10.0, 1.0) or "")


def test_coming_back_in_time_is_no_divergence() -> None:
    watch, said = fed(([1.0] * 60 + [10.0] * (PATIENCE - 1)) * 3 + [1.0])
    assert said == [None] * len(said) and watch.healthy()


def test_a_high_start_is_no_divergence() -> None:
    _, said = fed([100.0 / (step + 1) + 1 for step in range(200)])
    assert said == [None] * 200


def test_a_rollback_halves_the_rate_and_says_so() -> None:
    watch = Watch()
    event = watch.roll_back("the loss is not a number", 70, 50)
    assert watch.rate == 0.5 and watch.rollbacks == 1
    for part in ("Step 70", "not a number", "step 50", "0.5"):
        assert part in event
    watch.roll_back("again", 70, 50)
    assert watch.rate == 0.25


def test_after_a_rollback_it_watches_afresh_but_remembers_the_best() -> None:
    watch, _ = fed([1.0] * 60 + [10.0] * PATIENCE)
    best = watch.best
    watch.roll_back("it diverges", 80, 50)
    assert watch.healthy() and watch.best == best
    assert [watch.observe(1.1, 1.0) for _ in range(100)] == [None] * 100


def test_it_gives_up_in_the_end() -> None:
    watch = Watch()
    for _ in range(MOST_ROLLBACKS):
        watch.roll_back("the loss is not a number", 9, 0)
    with pytest.raises(TrainError, match="learning_rate"):
        watch.roll_back("the loss is not a number", 9, 0)


@pytest.mark.parametrize("losses", [[], [1.0, 2.0], [1.0] * 60 + [10.0] * 5])
def test_it_survives_a_checkpoint(losses: list[float]) -> None:
    watch, _ = fed(losses)
    stored = json.loads(json.dumps(watch.to_dict(), allow_nan=False))
    again = Watch.from_dict(stored)
    assert again == watch
    assert again.observe(3.0, 1.0) == watch.observe(3.0, 1.0) and again == watch
