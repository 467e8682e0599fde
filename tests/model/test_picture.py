"""Models: the same after a trip to the disk, one picture for one seed, and plain words for trouble."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import unfog.model
from tests.given import small_model, small_spec
from unfog.errors import SampleError
from unfog.model import PictureModel
from unfog.process import SCHEDULES
from unfog.sample import SAMPLERS

NETS: dict[str, dict[str, Any]] = {
    "unet": {"kind": "unet", "widths": [16], "depth": 1, "vector": 16, "head": 16},
    "transformer": {"kind": "transformer", "width": 16, "depth": 1, "vector": 16, "head": 8},
    "joint": {"kind": "joint", "width": 16, "depth": 2, "vector": 16, "head": 8, "patch": 4},
}


def arrays(model: PictureModel, n: int, **options: Any) -> np.ndarray:
    return np.stack([np.asarray(picture) for picture in model.generate(n, **options)])


# ---- generating -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", sorted(SAMPLERS.keys() - {"learned"}))
@pytest.mark.parametrize("classes", [(), ("cat", "dog")])
def test_picture_i_is_the_same_whatever_n_is(sampler: str, classes: tuple[str, ...]) -> None:
    model = small_model(classes=classes)
    many = arrays(model, 8, seed=3, sampler=sampler)
    assert many.shape == (8, 8, 8) and many.dtype == np.uint8
    one = arrays(model, 1, seed=3, sampler=sampler)
    assert np.abs(many[:1].astype(int) - one).max() <= 1
    three = arrays(model, 3, seed=3, sampler=sampler)
    assert np.abs(many[:3].astype(int) - three).max() <= 1
    assert not np.array_equal(many[0], many[2]), "pictures differ"
    assert not np.array_equal(many, arrays(model, 8, seed=4, sampler=sampler)), "and so do seeds"
    assert np.array_equal(many, arrays(model, 8, seed=3, sampler=sampler))


def test_several_batches_are_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model()
    whole = arrays(model, 7, seed=1)
    monkeypatch.setattr(unfog.model.picture, "PIXELS_AT_ONCE", 3 * 64)
    assert model.batch_size() == 3
    told: list[tuple[int, int]] = []
    parts = arrays(model, 7, seed=1, progress=lambda done, total: told.append((done, total)))
    assert np.abs(whole.astype(int) - parts).max() <= 1
    assert told == [(done, 12) for done in range(1, 13)], "3 batches of 4 steps"


def test_huge_pictures_come_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfog.model.picture, "PIXELS_AT_ONCE", 5)
    assert small_model().batch_size() == 1


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_pictures_are_pillow_pictures(channels: int, mode: str) -> None:
    (picture,) = small_model(channels=channels).generate(1)
    assert picture.mode == mode and picture.size == (8, 8)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_any_schedule_can_be_sampled(schedule: str) -> None:
    assert len(small_model(schedule={"kind": schedule}).generate(2, steps=3)) == 2


def test_labels_by_name_by_number_and_one_each() -> None:
    model = small_model()
    dogs = arrays(model, 2, label="dog")
    assert np.array_equal(dogs, arrays(model, 2, label=1))
    assert np.array_equal(dogs, arrays(model, 2, label=["dog", 1]))
    assert np.array_equal(dogs, arrays(model, 2, label="1"))
    assert not np.array_equal(dogs, arrays(model, 2, label="cat"))
    mixed = arrays(model, 2, label=["cat", "dog"])
    assert np.array_equal(mixed, arrays(model, 2)), "without a label classes take turns"
    assert np.abs(mixed[1].astype(int) - dogs[1]).max() <= 1


def test_a_class_named_like_a_number_wins() -> None:
    model = small_model(classes=("1", "0"))
    assert model.class_index("0") == 1 and model.class_index(0) == 1


@pytest.mark.parametrize(
    ("label", "words"), [("dgo", "'dog'"), ("fish", "Known: cat, dog"), (2, "'2'"), (-1, "'-1'"), ("", "''")]
)
def test_a_label_that_does_not_exist(label: str | int, words: str) -> None:
    with pytest.raises(SampleError, match=words):
        small_model().generate(1, label=label)


def test_labels_without_classes_and_in_the_wrong_number() -> None:
    with pytest.raises(SampleError, match="without classes"):
        small_model(classes=()).generate(1, label="dog")
    with pytest.raises(SampleError, match="2 labels for 3"):
        small_model().generate(3, label=["dog", "cat"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"stepz": 3}, "'steps'"),
        ({"sampler": "ddmi"}, "'ddi|'ddp"),
        ({"grid": "karas"}, "'karras'"),
        ({"threshold": "statik"}, "'static'"),
        ({"steps": 0}, "at least one"),
        ({"steps": -4}, "at least one"),
        ({"steps": 2.5}, "at least one"),
        ({"start": 0.01, "end": 1.0}, "start must be above end"),
        ({"end": 0.0}, "above 0"),
        ({"eta": 0.5}, "'dpm\\+\\+2m' has no setting 'eta'"),
        ({"sampler": "learned"}, "--optimise 4"),
        ({"grid": "optimised"}, "--optimise 4"),
        ({"n": 0}, "at least one"),
    ],
)
def test_bad_settings_are_answered_in_words(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SampleError, match=words):
        small_model().generate(**{"n": 1, **settings})


def test_settings_left_at_none_are_the_models_own() -> None:
    model = small_model()
    assert model.settings(steps=None, sampler=None) == model.spec.sampling
    assert model.settings(steps=9).steps == 9


def test_what_was_learned_for_a_number_of_steps_is_used() -> None:
    learned = {"3": {"levels": [60.0, 2.0, 0.3], "options": {"corrections": [[0.1], [0.1, -0.1], [0.0]]}}}
    model = small_model(learned=learned)
    fitted = model.settings(sampler="learned", steps=3)
    assert fitted.grid == "optimised" and fitted.levels == (60.0, 2.0, 0.3)
    assert model.settings(grid="optimised", steps=3).levels == (60.0, 2.0, 0.3)
    labels = model.asker.choose(2)
    with_it = model.draw(labels, 2, sampling=fitted)
    without = model.draw(labels, 2, sampling=model.settings(sampler="dpm++3m", grid="optimised", steps=3))
    assert not np.array_equal(with_it, without)
    with pytest.raises(SampleError, match=r"for 5 steps of this model \(3\)"):
        model.settings(sampler="learned", steps=5)


def test_guidance_needs_classes_changes_pictures_and_is_off_at_1() -> None:
    model = small_model()
    plain = arrays(model, 2, seed=1)
    assert np.array_equal(plain, arrays(model, 2, seed=1, guidance=1.0))
    guided = arrays(model, 2, seed=1, guidance=6.0)
    assert not np.array_equal(plain, guided)
    nowhere = arrays(model, 2, seed=1, guidance=6.0, guidance_low=500.0)
    assert np.abs(plain.astype(int) - nowhere).max() <= 1
    with pytest.raises(SampleError, match="trained with labels"):
        small_model(classes=()).generate(1, guidance=2.0)


@pytest.mark.parametrize("threshold", ["static", "dynamic"])
def test_thresholds_keep_every_clean_estimate_in_range(threshold: str) -> None:
    model = small_model()
    sampling = model.settings(threshold=threshold)
    low, high = model.codec.limits()
    for step in model.walk(range(2), [0, 1], sampling=sampling):
        assert bool((step.clean >= low - 1e-4).all()) and bool((step.clean <= high + 1e-4).all())
    last = model.to_pictures(step.x_s)
    assert last.shape == (2, 8, 8, 1) and last.dtype == np.uint8


def test_groups_are_drawn_as_often_as_they_occurred() -> None:
    """2,000 draws; five standard errors."""
    model = small_model(groups=(0, 0, 1), shares=(0.6, 0.2, 0.2))
    cats = model.asker.raw([0] * 2000, range(2000), 5).tolist()
    assert set(cats) == {0, 1}
    assert cats.count(0) / 2000 == pytest.approx(0.75, abs=5 * (0.75 * 0.25 / 2000) ** 0.5)
    assert set(model.asker.raw([1] * 50, range(50), 5).tolist()) == {2}
    anything = model.asker.raw(None, range(2000), 5).tolist()
    assert anything.count(1) / 2000 == pytest.approx(0.2, abs=5 * 0.4 / 2000**0.5)
    assert model.asker.raw([0], [7], 5).tolist() == [cats[7]], "picture 7 is the same alone"


def test_groups_without_classes_steer_silently() -> None:
    model = small_model(classes=(), groups=(-1, -1), shares=(0.5, 0.5))
    assert model.encoder is not None and model.asker.choose(3) is None
    assert len(model.generate(2, guidance=2.0)) == 2


# ---- manners --------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
def test_sampling_leaves_the_model_as_it_was(training: bool) -> None:
    model = small_model().train(training)
    before = model.fingerprint()
    state = torch.random.get_rng_state()
    model.generate(1)
    assert model.training is training and model.fingerprint() == before
    assert torch.equal(state, torch.random.get_rng_state())


def test_between_two_steps_of_a_walk_the_caller_can_train() -> None:
    """A generator must not leave inference mode switched on for those who use it."""
    model = small_model()
    walk = model.walk(range(1), [0])
    next(walk)
    assert not torch.is_inference_mode_enabled()
    weight = torch.ones(1, requires_grad=True)
    (weight * 2).sum().backward()
    assert weight.grad is not None
    walk.close()
    assert not torch.is_inference_mode_enabled()


def test_weights_of_a_diverged_model_are_named() -> None:
    model = small_model()
    with torch.no_grad():
        next(model.denoiser.parameters()).fill_(float("nan"))
    with pytest.raises(SampleError, match="NaN"):
        model.generate(1)


def test_the_same_seed_builds_the_same_model() -> None:
    torch.manual_seed(0)
    one = PictureModel(small_spec())
    torch.manual_seed(0)
    assert PictureModel(small_spec()).fingerprint() == one.fingerprint()
    assert one.shape == (1, 8, 8) and one.device.type == "cpu"
