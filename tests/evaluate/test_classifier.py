import json
import os

import numpy as np
import pytest
import torch

from unfog.errors import DataError, ModelError
from unfog.evaluate import classifier_cache
from unfog.evaluate.classifier import SmallNet, jitter, set_aside, train_classifier
from unfog.evaluate.classifier_cache import data_key, load_classifier, open_classifier, save_classifier

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(scope="module")
def space(digits8, quick):
    images, labels = digits8
    return train_classifier(images[:1400], labels[:1400], 10)


def test_it_names_digits_it_never_saw_and_is_honest_about_it(space, digits8):
    images, labels = digits8
    chances = space.probabilities(images[1400:])
    np.testing.assert_allclose(chances.sum(1), 1, rtol=1e-9)
    right = (chances.argmax(1) == labels[1400:]).mean()
    assert right > 0.95
    assert space.accuracy.low - 0.02 <= right <= space.accuracy.high + 0.02
    assert space.learned_from + space.accuracy.n == 1400


def test_its_features_are_what_its_opinion_rests_on(space, digits8):
    images = digits8[0][:40]
    features, chances = space.judge(images, batch=7)
    assert features.shape == (40, 64) and (features >= 0).all()
    logits = space.net.head(torch.from_numpy(features).float()).double().softmax(1)
    np.testing.assert_allclose(logits.numpy(), chances, atol=1e-5)
    np.testing.assert_allclose(space.features(images), features, atol=1e-4)


def test_the_same_seed_gives_the_same_classifier_and_leaves_the_global_one_alone(digits8):
    images, labels = digits8[0][:200], digits8[1][:200]
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = train_classifier(images, labels, 10, 3)
    assert torch.rand(1) == expected
    second = train_classifier(images, labels, 10, 3)
    assert (first.features(images) == second.features(images)).all()


@pytest.mark.parametrize(
    ("shape", "classes"), [((8, 8, 1), 2), ((100, 60, 3), 12), ((256, 256, 3), 3), ((9, 33, 1), 24)]
)
def test_few_pictures_of_any_size_with_many_classes(shape, classes, monkeypatch):
    from unfog.evaluate import classifier

    monkeypatch.setattr(classifier, "LEAST_SEEN", 200)
    images = np.random.default_rng(0).integers(0, 256, (24, *shape), dtype=np.uint8)
    labels = np.arange(24) % classes
    found = train_classifier(images, labels, classes + 1)  # one class has no picture at all
    assert found.probabilities(images).shape == (24, classes + 1)
    assert np.isfinite(found.features(images)).all()
    assert (found.accuracy.value is None) == (24 // classes < 4)


def test_unlabelled_pictures_are_not_used(digits8):
    images, labels = digits8[0][:120], digits8[1][:120].copy()
    labels[60:] = -1
    found = train_classifier(images, labels, 10)
    assert found.learned_from + found.accuracy.n == 60


@pytest.mark.parametrize("labels", [np.zeros(9, np.int64), np.full(9, -1)])
def test_one_class_is_no_task(labels):
    with pytest.raises(DataError, match="two classes"):
        train_classifier(np.zeros((9, 8, 8, 1), np.uint8), labels, 2)


def test_a_tenth_of_each_class_is_set_aside():
    labels = np.array([0] * 40 + [1] * 4 + [2] * 3 + [3])
    fit, aside = set_aside(labels, 0)
    assert np.bincount(labels[aside], minlength=4).tolist() == [4, 1, 0, 0]
    assert sorted([*fit, *aside]) == list(range(48))


def test_jitter_moves_a_little_and_never_mirrors():
    x = torch.full((64, 1, 28, 28), -1.0)
    x[:, :, 8:20, 6:10] = 1.0  # a bar on the left
    moved = jitter(x, torch.Generator().manual_seed(0))
    columns = (moved + 1).sum((1, 2)) @ torch.arange(28.0) / (moved + 1).sum((1, 2, 3))
    assert columns.std() > 0.5 and (columns < 13).all()


def test_saved_and_loaded_it_is_the_same(space, digits8, tmp_path):
    path = tmp_path / "a" / "judge"
    save_classifier(space, path)
    again = load_classifier(path)
    assert (again.features(digits8[0][:50]) == space.features(digits8[0][:50])).all()
    assert again.accuracy == space.accuracy and again.describe() == space.describe()
    assert sorted(os.listdir(path.parent)) == ["judge.json", "judge.safetensors"]


def damage_weights(path):
    weights = path.with_suffix(".safetensors")
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")


def cut_weights(path):
    weights = path.with_suffix(".safetensors")
    weights.write_bytes(weights.read_bytes()[:100])


def newer(path):
    facts = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(facts | {"version": 999}))


def no_json(path):
    path.with_suffix(".json").write_text("{")


def list_json(path):
    path.with_suffix(".json").write_text("[]")


@pytest.mark.parametrize("harm", [damage_weights, cut_weights, newer, no_json, list_json])
def test_a_damaged_one_is_named_and_trained_again(space, tmp_path, harm, digits8, monkeypatch):
    images, labels = digits8[0][:30], digits8[1][:30]
    path = tmp_path / "classifiers" / data_key(images, labels, 10, 0)
    save_classifier(space, path)
    harm(path)
    with pytest.raises(ModelError, match="Delete it"):
        load_classifier(path)
    monkeypatch.setattr(classifier_cache, "train_classifier", lambda *args: space)
    assert open_classifier(images, labels, 10, cache=tmp_path) is space
    load_classifier(path)


def test_the_second_time_nothing_is_trained(space, digits8, tmp_path, monkeypatch):
    images, labels = digits8
    trained = []
    monkeypatch.setattr(classifier_cache, "train_classifier", lambda *args: trained.append(1) or space)
    monkeypatch.setenv("UNFOG_CACHE", str(tmp_path))
    for _ in range(2):
        found = open_classifier(images, labels, 10)
        assert (found.features(images[:5]) == space.features(images[:5])).all()
    assert len(trained) == 1
    changed = images.copy()
    changed[7, 0, 0, 0] ^= 255
    open_classifier(changed, labels, 10)
    open_classifier(images, np.roll(labels, 1), 10)
    open_classifier(images, labels, 10, seed=1)
    assert len(trained) == 4


def test_a_cache_that_cannot_be_written_is_no_error(space, tmp_path, digits8, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(classifier_cache, "train_classifier", lambda *args: space)
    assert open_classifier(digits8[0], digits8[1], 10, cache=blocked) is space


def test_the_network_is_small():
    assert sum(weight.numel() for weight in SmallNet(1, 10).parameters()) < 200_000
