"""The trainer: what a step does, and that a resumed run is the uninterrupted run, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.given import pictures, small_model, small_spec
from unfog.condition import ANY
from unfog.errors import TrainError
from unfog.model import PictureModel
from unfog.train import Batches, TrainConfig, Training, TrainStep
from unfog.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from unfog.train.fit import Source, fit, precision
from unfog.train.watch import MOST_ROLLBACKS

FIT = import_module("unfog.train.fit")  # the name of the module belongs to its function
STEPS = 12
IMAGES = pictures(40)
LABELS = np.arange(40) % 2


def config(**changes: Any) -> TrainConfig:
    return TrainConfig(**{"steps": STEPS, "batch": 8, "warmup": 3, "seed": 5, **changes})


def source() -> Batches:
    return Batches(IMAGES, LABELS, np.arange(40), size=8, seed=5, flip=True)


def training(
    *, seed: int = 0, dropout: float = 0.0, from_source: Source | None = None, **changes: Any
) -> Training:
    torch.manual_seed(seed)
    model = PictureModel(small_spec(network={**small_spec().network, "dropout": dropout}))
    return Training(model, from_source or source(), config(**changes))


def take(run: Training, until: int | None = None) -> list[TrainStep]:
    """The steps of a run, stopped as a crash would."""
    steps = []
    for step in run.fit():
        steps.append(step)
        if step.step == until:
            break
    return steps


def same(one: Checkpoint, other: Checkpoint) -> bool:
    assert one.tensors.keys() == other.tensors.keys()
    return all(torch.equal(one.tensors[name], other.tensors[name]) for name in one.tensors)


def test_steps_are_reported_as_they_were() -> None:
    run = training()
    steps = take(run)
    assert [s.step for s in steps] == list(range(1, STEPS + 1))
    assert all(s.total == STEPS and s.examples_per_second > 0 and s.event is None for s in steps)
    assert all(np.isfinite([s.loss, s.gradient]).all() and s.gradient > 0 for s in steps)
    for s in steps:
        assert s.learning_rate == pytest.approx(2e-3 * run.plan.learning_rate(s.step - 1))
    assert all(a.elapsed < b.elapsed for a, b in pairwise(steps))


def test_the_short_form_trains_the_model_in_place() -> None:
    model = small_model()
    before = {name: p.clone() for name, p in model.named_parameters()}
    assert len(list(fit(model, source(), config(steps=3)))) == 3
    moved = [name for name, p in model.named_parameters() if not torch.equal(p, before[name])]
    assert len(moved) > 0.9 * len(before)


@pytest.mark.parametrize("optimiser", ["muon", "adamw"])
def test_it_learns(optimiser: str) -> None:
    steps = take(training(optimiser=optimiser, steps=40, learning_rate=5e-3))
    losses = [s.loss for s in steps]
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:4])


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    first, again, other = training(), training(), training(seed=5)
    other = Training(other.model, source(), config(seed=6))
    runs = [take(run, 3) for run in (first, again, other)]
    assert [s.loss for s in runs[0]] == [s.loss for s in runs[1]] != [s.loss for s in runs[2]]


@pytest.mark.parametrize("optimiser", ["muon", "adamw"])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("stop", [1, 7])
def test_a_resumed_run_is_the_uninterrupted_one(
    tmp_path: Path, stop: int, dropout: float, optimiser: str
) -> None:
    """Weights, optimiser, averages and every loss, through the disk, in a model that began elsewhere."""
    whole = training(dropout=dropout, optimiser=optimiser)
    expected = take(whole)
    lost = training(dropout=dropout, optimiser=optimiser)
    take(lost, stop)
    save_checkpoint(tmp_path, lost.checkpoint())
    next(iter(lost.fit()))  # what was done after the checkpoint is lost

    torch.manual_seed(99)
    resumed = training(seed=1, dropout=dropout, optimiser=optimiser)
    checkpoint, _ = load_checkpoint(tmp_path)
    assert checkpoint is not None
    resumed.restore(checkpoint)
    assert resumed.step == stop
    assert [s.loss for s in take(resumed)] == [s.loss for s in expected[stop:]]
    assert same(resumed.checkpoint(), whole.checkpoint())


def test_what_is_learned_is_told_when_it_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    run, told = training(decay=0.5), list[bool]()
    objective = run.accelerator.unwrap_model(run.objective)
    inner = objective.draw
    monkeypatch.setattr(objective, "draw", lambda *a, **k: told.append(objective.late) or inner(*a, **k))
    assert objective.late, "before the first step, and for whoever does not learn"
    take(run)
    assert told == [False] * 7 + [True] * 5


def test_looking_on_does_not_change_the_run() -> None:
    """Previews, validation and checkpoints between steps leave every bit as it was."""
    alone, watched = training(dropout=0.3), training(dropout=0.3)
    take(alone)
    for _ in watched.fit():
        watched.checkpoint()
        watched.snapshots_due()
        with watched.averaged():
            watched.model.generate(1, steps=1)
        torch.rand(3)
    assert same(alone.checkpoint(), watched.checkpoint())


NARROW = {"kind": "unet", "widths": [8], "depth": 1, "vector": 16, "head": 16}


@pytest.mark.parametrize("changes", [{"classes": ()}, {"network": NARROW}])
def test_a_checkpoint_of_another_network_is_refused(changes: dict[str, Any]) -> None:
    torch.manual_seed(0)
    other = Training(PictureModel(small_spec(**changes)), source(), config())
    with pytest.raises(TrainError, match="another network"):
        training().restore(other.checkpoint())


class Spoiled:
    """A source whose pictures are not numbers at some steps: the first time only, or always."""

    def __init__(self, *steps: int, always: bool = False) -> None:
        self.inner, self.steps, self.always = source(), set(steps), always

    def __call__(self, step: int) -> tuple[Tensor, Tensor | None]:
        x, labels = self.inner(step)
        if step not in self.steps:
            return x, labels
        if not self.always:
            self.steps.discard(step)
        return torch.full(x.shape, float("nan")), labels


@pytest.fixture
def remember_every_5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FIT, "REMEMBER_EVERY", 5)


@pytest.mark.parametrize("optimiser", ["muon", "adamw"])
@pytest.mark.usefixtures("remember_every_5")
def test_nan_goes_back_halves_the_rate_and_goes_on(optimiser: str) -> None:
    run = training(from_source=Spoiled(7), optimiser=optimiser)
    reference = training(optimiser=optimiser)
    take(reference, 5)
    steps = []
    for step in run.fit():
        steps.append(step)
        if step.event is not None:
            assert same(run.checkpoint(), reference.checkpoint()), "not the state after step 5"
    assert [s.step for s in steps] == [1, 2, 3, 4, 5, 6, 7, 5, *range(6, STEPS + 1)]
    (event,) = [s.event for s in steps if s.event]
    for words in ("not a number", "step 5", "halved", "0.5"):
        assert words in event
    for s in steps[8:]:
        assert s.learning_rate == pytest.approx(0.5 * 2e-3 * run.plan.learning_rate(s.step - 1))
    assert steps[8].loss != steps[5].loss, "fresh noise"
    assert all(bool(p.isfinite().all()) for p in run.parameters.values())
    assert all(bool(w.isfinite().all()) for a in run.averages for w in a.weights.values())


def test_nan_in_the_very_first_step() -> None:
    run = training(from_source=Spoiled(0))
    steps = take(run)
    assert steps[0].step == 0 and steps[0].event is not None
    assert [s.step for s in steps[1:]] == list(range(1, STEPS + 1))


@pytest.mark.usefixtures("remember_every_5")
def test_a_rollback_survives_a_crash() -> None:
    """Killed right after going back: the resumed run takes the same steps as if it had not been."""
    whole = training(from_source=Spoiled(7))
    expected = take(whole)
    run = training(from_source=Spoiled(7))
    for step in run.fit():
        if step.event is not None:
            break
    resumed = training(seed=1)
    resumed.restore(run.checkpoint())
    assert [s.loss for s in take(resumed)] == [s.loss for s in expected[8:]]
    assert same(resumed.checkpoint(), whole.checkpoint())


def test_pictures_that_are_never_numbers_end_the_run_in_words() -> None:
    run = training(from_source=Spoiled(2, always=True))
    with pytest.raises(TrainError, match=f"failed {MOST_ROLLBACKS + 1} times"):
        take(run)
    assert all(bool(p.isfinite().all()) for p in run.parameters.values())


def test_a_time_budget_plans_its_end_and_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that a step moves by one second: 20 seconds are 20 steps, the end planned half-way."""
    clock = iter(range(10_000))
    monkeypatch.setattr(FIT, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    run = training(steps=None, minutes=20 / 60)
    steps = take(run)
    assert len(steps) == 20 and steps[-1].total == 20
    (planned,) = [s for s in steps if s.event]
    assert planned.step == 10 and "20 steps" in str(planned.event)
    assert steps[-1].learning_rate < 0.2 * steps[9].learning_rate
    resumed = training(seed=1, steps=None, minutes=20 / 60)
    resumed.restore(run.checkpoint())
    assert take(resumed) == [], "a plan is kept across sessions"


def labels_seen(run: Training) -> Iterator[int]:
    assert run.model.encoder is not None
    forward, seen = run.model.encoder.forward, []

    def spy(labels: Tensor) -> Any:
        seen.extend(labels.tolist())
        return forward(labels)

    run.model.encoder.forward = spy
    take(run)
    yield from seen


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_labels_are_hidden_as_often_as_asked(share: float) -> None:
    """240 labels; five standard errors."""
    seen = list(labels_seen(training(label_dropout=share, steps=30)))
    hidden = seen.count(ANY)
    assert len(seen) == 240
    assert hidden == pytest.approx(240 * share, abs=5 * (240 * share * (1 - share)) ** 0.5)


def test_the_averages_are_of_the_weights_after_each_step() -> None:
    run = training(steps=6)
    path = []
    for _ in run.fit():
        path.append({name: p.detach().clone() for name, p in run.parameters.items()})
    for average in run.averages:
        edges = (torch.arange(7, dtype=torch.float64) / 6) ** (average.gamma + 1)
        for name, weight in average.weights.items():
            expected = sum(
                float(share) * each[name].double() for share, each in zip(edges.diff(), path, strict=True)
            )
            torch.testing.assert_close(weight.double(), expected, rtol=1e-4, atol=1e-5)


def test_averaged_weights_are_lent_and_given_back() -> None:
    run = training(steps=4)
    take(run)
    raw = {name: p.detach().clone() for name, p in run.parameters.items()}
    with pytest.raises(ZeroDivisionError), run.averaged():
        for name, parameter in run.parameters.items():
            assert torch.equal(parameter, run.averages[0].weights[name])
        raise ZeroDivisionError
    assert all(torch.equal(p, raw[name]) for name, p in run.parameters.items())
    run.adopt(run.averages[1].weights)
    assert all(torch.equal(p, run.averages[1].weights[name]) for name, p in run.parameters.items())


def test_snapshots_are_copies_and_ever_rarer() -> None:
    run = training(steps=60, batch=2, from_source=Batches(IMAGES, LABELS, np.arange(40), size=2, seed=0))
    due, first = [], None
    for step in run.fit():
        if found := run.snapshots_due():
            due.append(step.step)
            assert [width for width, _ in found] == [a.width for a in run.averages]
            if first is None:
                first = found[0][1]
                weights = {name: w.clone() for name, w in first.weights.items()}
    assert due[0] >= 10 and due[-1] == 60 and len(due) < 40
    assert all(b - a >= 1 and b <= 1.12 * a + 1 for a, b in pairwise(due))
    assert first is not None
    assert all(torch.equal(first.weights[name], weights[name]) for name in weights), "it has moved since"


@pytest.mark.parametrize(("wanted", "expected"), [("no", "no"), ("bf16", "bf16"), ("fp16", "fp16")])
def test_a_precision_that_was_asked_for_is_taken(wanted: str, expected: str) -> None:
    assert precision(wanted) == expected


@pytest.mark.parametrize(
    ("gpu", "fast", "expected"), [(False, False, "no"), (True, False, "no"), (True, True, "bf16")]
)
def test_reduced_precision_only_where_it_is_fast(
    monkeypatch: pytest.MonkeyPatch, gpu: bool, fast: bool, expected: str
) -> None:
    answer: Callable[[bool], Callable[[], bool]] = lambda value: lambda: value  # noqa: E731
    monkeypatch.setattr(torch.cuda, "is_available", answer(gpu))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", answer(fast))
    assert precision("auto") == expected
