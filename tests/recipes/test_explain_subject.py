"""Who explains: the same pictures each time, classes in turn, calls counted, portions that change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import unfog
from tests.given import small_model
from unfog.data import open_pictures
from unfog.denoise import ExactMixture
from unfog.errors import DataError
from unfog.recipes import explain_subject
from unfog.recipes.explain_subject import ExactSubject, ModelSubject, affordable, ask, spread
from unfog.recipes.listen import Silent
from unfog.spec import Sampling


@pytest.fixture(scope="module")
def drawing(run: Path) -> ModelSubject:
    return ModelSubject(unfog.load(run), None, 0, Silent())


@pytest.fixture(scope="module")
def exact(shapes: Path) -> ExactSubject:
    return ExactSubject("cosine", str(shapes), Silent())


def test_large_pictures_are_few() -> None:
    assert [affordable(32, (3, side, side)) for side in (16, 28, 56, 64, 1024)] == [32, 32, 8, 6, 1]


def test_classes_come_in_turn(shapes: Path) -> None:
    store = open_pictures(shapes, size=16)
    assert store.labels is not None
    few = spread(store, store.train, 7)
    assert len(set(few.tolist())) == 7 and set(few) <= set(store.train)
    assert sorted(store.labels[few[:3]]) == [0, 1, 2] and sorted(store.labels[few[3:6]]) == [0, 1, 2]
    assert (few == spread(store, store.train, 7)).all()
    assert len(spread(store, store.train, 1000)) == len(store.train)


def test_a_model_without_data_draws_its_own(run: Path, drawing: ModelSubject) -> None:
    model = unfog.load(run)
    labels = model.asker.choose(explain_subject.ASKED)
    same = model.draw(labels, explain_subject.ASKED)
    assert (drawing.to_pictures(drawing.shown.x) == same).all()
    assert drawing.shown.origin == "drawn" and drawing.known == 0
    assert drawing.asked(4) == ["circle", "square", "triangle", "circle"]


def test_a_model_without_classes_draws_too() -> None:
    subject = ModelSubject(small_model(classes=()), None, 0, Silent())
    assert subject.shown.x.shape == (explain_subject.ASKED, 1, 8, 8)
    assert not subject.shown.cond.slots() and subject.asked(2) == []
    assert torch.isfinite(subject.estimate(subject.shown.x[:2], torch.tensor(0.5).double()).mean).all()


def test_samplers_get_their_own_settings() -> None:
    """Options belong to a sampler, an optimised grid and learned weights to a number of steps."""
    fitted = {"levels": [50.0, 1.0, 0.1], "options": {"corrections": [[0.0], [0.1, 0.2], [0.1]]}}
    own = Sampling(
        sampler="ddim", steps=4, options={"eta": 0.5}, grid="optimised", levels=(9.0, 3.0, 1.0, 0.1)
    )
    subject = ModelSubject(small_model(sampling=own, learned={"3": fitted}), None, 0, Silent())
    same, other = subject._settings("ddim", 5), subject._settings("heun", 5)
    assert same.options == {"eta": 0.5} and other.options == {}
    assert same.grid == other.grid == "karras" and same.levels == ()
    learned, plain = subject._settings("learned", 3), subject._settings("learned", 5)
    assert learned.grid == "optimised" and learned.levels == (50.0, 1.0, 0.1)
    assert plain.grid == "karras" and plain.options == {}
    for steps in (3, 5):
        *_, last = subject.walk(2, seed=0, sampler="learned", steps=steps)
        assert last.index == steps - 1


def test_a_model_with_data_is_asked_about_held_out_pictures(run: Path, shapes: Path) -> None:
    subject = ModelSubject(unfog.load(run), str(shapes), 0, Silent())
    store = open_pictures(shapes, size=16)
    shown = subject.shown
    assert shown.origin == "held_out" and not shown.other and shown.memory is not None
    held = {picture.tobytes() for picture in store.images[store.held_out]}
    assert {picture.tobytes() for picture in subject.to_pictures(shown.x)} == held
    known = {picture.tobytes() for picture in subject.to_pictures(shown.memory.means)}
    assert known <= {picture.tobytes() for picture in store.images[store.train]}


def test_the_label_of_a_picture_reaches_the_network(drawing: ModelSubject) -> None:
    x, t = drawing.shown.x, torch.tensor(0.7, dtype=torch.float64)
    together = drawing.estimate(x[:4], t).mean
    alone = drawing.estimate(x[2:3], t, first=2).mean
    assert torch.allclose(together[2:3], alone, atol=1e-5)
    assert not torch.allclose(drawing.estimate(x[2:3], t, first=0).mean, alone, atol=1e-5)


def test_an_exact_denoiser_holds_what_it_may_learn_from(exact: ExactSubject, shapes: Path) -> None:
    store = open_pictures(shapes, size=explain_subject.SIDE)
    assert exact.known == len(store.train) and exact.shown.unseen is not None
    assert len(exact.shown.unseen) == len(store.held_out)
    assert exact.asked(3) == []


def test_portions_change_nothing(exact: ExactSubject, monkeypatch: pytest.MonkeyPatch) -> None:
    x, t = exact.shown.x[:5], torch.tensor(0.9, dtype=torch.float64)
    whole = ask(exact.denoiser, x, t).mean
    monkeypatch.setattr(explain_subject, "NUMBERS_AT_ONCE", 1)
    assert torch.allclose(ask(exact.denoiser, x, t).mean, whole, atol=1e-6)


@pytest.mark.parametrize("kind", ["model", "exact"])
def test_calls_are_counted(kind: str, drawing: ModelSubject, exact: ExactSubject) -> None:
    subject = drawing if kind == "model" else exact

    def end(sampler: str) -> torch.Tensor:
        *_, last = subject.walk(2, seed=0, sampler=sampler, steps=4)
        return last.x_s

    assert subject.count(lambda: end("ddim"))[1] == 4
    assert subject.count(lambda: end("heun"))[1] == 7  # two a step, but one where the step ends at t = 0
    assert torch.isfinite(end("ddim")).all()


def test_walks_of_pure_memory_end_at_what_it_holds(exact: ExactSubject) -> None:
    *_, last = exact.walk(3, seed=1, sampler="dpm++2m", steps=20)
    assert isinstance(exact.denoiser, ExactMixture)
    distance = torch.cdist(last.x_s.double().flatten(1), exact.denoiser.means.double().flatten(1)).min(1)
    assert float(distance.values.max()) < 1e-3


def test_data_without_held_out_pictures_is_refused(run: Path, tmp_path: Path) -> None:
    from unfog.data.toy import write_shapes

    one = write_shapes(tmp_path / "one", count=3, size=16)
    for path in sorted(one.rglob("*.png"))[1:]:
        path.unlink()
    with pytest.raises(DataError):
        ModelSubject(unfog.load(run), str(one), 0, Silent())
