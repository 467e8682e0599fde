"""Which sampler and how many calls: measured, compared, kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import unfog
from unfog.errors import DataError
from unfog.evaluate.figure import Figure
from unfog.model import restate
from unfog.recipes import steps
from unfog.recipes.listen import Silent
from unfog.recipes.steps import Trial, _as_good, adopt, advise, calls_of, source_of, steps_for
from unfog.sample import SAMPLERS
from unfog.spec import Sampling


@pytest.fixture(scope="module")
def advised(run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, steps.Advice]:
    """A copy of the tiny run that took its advice; few calls and pictures."""
    folder = Path(shutil.copytree(run, tmp_path_factory.mktemp("steps") / "run"))
    patch = pytest.MonkeyPatch()
    for name, value in {"PROBED": 16, "LEARNED_FROM": 32, "BATCH": 16}.items():
        patch.setattr(steps, name, value)
    model = unfog.load(folder)
    advice = advise(model, source_of(model, folder / "model"), 50, calls=(4, 8), optimise=(3,), reference=20)
    patch.undo()
    adopt(model, advice)
    restate(model, folder)
    return folder, advice


def test_every_deterministic_sampler_is_measured(advised: tuple[Path, steps.Advice]) -> None:
    _, advice = advised
    measured = {trial.sampling.sampler for trial in advice.errors}
    same = {"learned", "dpm++1", "euler"}  # measured elsewhere, or under another name
    assert measured == {n for n, k in SAMPLERS.items() if not k.stochastic and k.order} - same
    for trial in advice.errors:
        assert trial.error is not None and 0 <= trial.error < 20 and trial.calls <= 8
    ddim = {
        t.calls: t.error
        for t in advice.errors
        if t.sampling.sampler == "ddim" and t.sampling.grid == "karras"
    }
    assert ddim[8] < ddim[4]


def test_learning_helps(advised: tuple[Path, steps.Advice]) -> None:
    _, advice = advised
    assert list(advice.fitted) == [3] and advice.fitted[3].error < advice.fitted[3].before


def test_the_choice_is_the_cheapest_that_is_as_good(advised: tuple[Path, steps.Advice]) -> None:
    _, advice = advised
    assert advice.chosen in advice.trials and advice.reference.calls == 20
    good = [trial for trial in advice.trials if _as_good(trial, advice.reference)]
    assert advice.good == bool(good)
    if good:
        assert advice.chosen.calls == min(trial.calls for trial in good)


def test_the_model_samples_so_from_now_on(advised: tuple[Path, steps.Advice], run: Path) -> None:
    folder, advice = advised
    model = unfog.load(folder)
    chosen = advice.chosen.sampling
    assert (model.spec.sampling.sampler, model.spec.sampling.steps) == (chosen.sampler, chosen.steps)
    assert model.history[-1]["event"] == "steps"
    assert model.fingerprint() == unfog.load(run).fingerprint(), "it is still the same model"
    assert len(model.generate(2)) == 2
    learned = model.settings(sampler="learned", steps=3)
    assert learned.levels == advice.fitted[3].levels
    assert len(model.generate(2, sampler="learned", steps=3)) == 2


def test_the_learned_sampler_draws_what_was_measured(advised: tuple[Path, steps.Advice]) -> None:
    folder, advice = advised
    trial = next(t for t in advice.trials if t.sampling.sampler == "learned")
    model = unfog.load(folder)
    ours = model.draw(model.asker.choose(4), 4, sampling=model.settings(sampler="learned", steps=3))
    assert np.array_equal(ours, model.draw(model.asker.choose(4), 4, sampling=trial.sampling))


def test_calls_and_steps_fit_together() -> None:
    for name, kind in SAMPLERS.items():
        for calls in (1, 2, 5, 8, 12):
            count = steps_for(name, calls)
            if count:
                used = calls_of(Sampling(sampler=name, steps=count))
                assert used <= calls < used + kind.calls


@pytest.mark.parametrize(
    ("distance", "agreement", "good"),
    [(3.0, 0.9, True), (3.1, 0.9, True), (3.3, 0.9, False), (2, 0.8, False)],
)
def test_as_good_means_near_and_as_asked(distance: float, agreement: float, good: bool) -> None:
    def trial(d: float, a: float) -> Trial:
        return Trial(Sampling(), 5, frechet=Figure.of(d, None, 50), agreement=Figure.of(a, None, 50))

    assert _as_good(trial(distance, agreement), trial(3.0, 0.9)) is good


def test_where_the_data_is(run: Path, shapes: Path, tmp_path: Path) -> None:
    model = unfog.load(run)
    assert source_of(model, run / "model") == str(shapes)
    with pytest.raises(DataError, match="--data DATA"):
        source_of(model, tmp_path / "elsewhere" / "model")
    model.history[-1]["data"]["source"] = "digits"
    assert source_of(model, tmp_path / "elsewhere" / "model") == "digits"


def test_too_few_pictures_are_refused(run: Path, shapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = replace(steps.data_of(unfog.load(run), shapes, Silent()), train=np.arange(2))
    monkeypatch.setattr(steps, "data_of", lambda *_: few)
    with pytest.raises(DataError, match="fewer than three"):
        advise(unfog.load(run), shapes)
