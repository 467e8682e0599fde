import json

import numpy as np
import pytest

from unfog.errors import DataError
from unfog.evaluate import evaluate_pictures
from unfog.evaluate.words import HIGHER, LOWER, NEAR, WORDS

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(scope="module")
def parts(digits8, quick):
    """Held-out real digits twice (one half plays the samples), and the rest to train on."""
    images, labels = digits8
    return {
        "samples": images[:300],
        "sample_labels": labels[:300],
        "train": images[500:],
        "train_labels": labels[500:],
        "held": images[300:500],
        "held_labels": labels[300:500],
        "classes": [str(digit) for digit in range(10)],
    }


@pytest.fixture(scope="module")
def real(parts, cache):
    seen = []
    quality = evaluate_pictures(**parts, cache=cache, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen) and seen[-1] == (100, 100)
    return quality


def figures(tree):
    """Every figure in a tree of dictionaries."""
    if isinstance(tree, dict):
        if "value" in tree:
            yield tree
        else:
            for branch in tree.values():
                yield from figures(branch)


def test_real_samples_reach_the_floor(real):
    for space in ("classifier", "random", "pixels"):
        ours, floor = real.distances[space]["frechet"]
        assert ours.low <= floor.high and floor.low <= ours.high, space
        assert real.distances[space]["precision"].samples.value > 0.5
        ours, floor = real.distances[space]["coverage"]
        assert ours.value > 0.85 * floor.value
    assert real.opinions["agreement"].samples.value > 0.93
    assert real.opinions["balance"].samples.value > 0.97
    assert real.memorisation["pixels"]["copied"].samples.value < 0.05
    assert real.range["dark"].samples.value == pytest.approx(real.range["dark"].floor.value, abs=0.05)


def test_counts_are_equal_where_the_number_matters(real):
    assert real.counts == {"samples": 300, "train": 1297, "held": 200, "compared": 200}
    for pairs in real.distances.values():
        for key in ("frechet", "frechet_limit", "precision", "recall", "density", "coverage"):
            ours, floor = pairs[key]
            assert ours.n == floor.n == 200, key
    assert real.distances["pixels"]["kernel"].samples.n == 300
    assert real.opinions["agreement"].samples.n == 300
    assert any("200 samples and 200 held-out" in note for note in real.notes)


def test_the_dictionary_is_json_and_nested_by_space(real):
    tree = json.loads(json.dumps(real.to_dict(), allow_nan=False))
    assert list(tree["spaces"]) == ["classifier", "random", "pixels"]
    assert set(tree["memorisation"]) == {"classifier", "pixels"}
    found = list(figures(tree))
    assert len(found) > 60
    for figure in found:
        assert set(figure) >= {"value", "low", "high", "n"}
        assert figure["value"] is not None or figure["why"]
    assert "FID" not in json.dumps(tree)


def test_the_rows_explain_every_figure(real):
    rows = real.rows()
    assert {row.key for row in rows} == set(WORDS)
    figure, meaning, samples, floor, better = rows[0][:5]
    assert figure == "Label agreement" and meaning.endswith(".") and better == HIGHER
    assert samples.value is not None and floor.value is not None
    assert {row.better for row in rows} == {LOWER, HIGHER, NEAR}
    assert len({row.figure for row in rows}) == len(rows)


def test_neighbours_lead_to_the_training_pictures(real, parts):
    for name in ("classifier", "pixels"):
        near = real.neighbours[name]
        assert near.nearest.shape == near.distance.shape == near.ratio.shape == (300,)
    near = real.neighbours["pixels"]
    gap = parts["samples"][7].astype(float) - parts["train"].astype(float)
    assert near.nearest[7] == (gap**2).sum((1, 2, 3)).argmin()


def test_the_same_input_gives_the_same_figures(real, parts, cache):
    assert evaluate_pictures(**parts, cache=cache).to_dict() == real.to_dict()


def test_copies_of_training_pictures_are_found(parts, cache):
    copied = parts | {"samples": parts["train"][:100], "sample_labels": parts["train_labels"][:100]}
    quality = evaluate_pictures(**copied, cache=cache)
    for space in ("classifier", "pixels"):
        assert quality.memorisation[space]["copied"].samples.value == 1.0
        assert quality.memorisation[space]["copied"].floor.value < 0.1
    assert quality.memorisation["pixels"]["identical"].samples.value == 1.0
    assert quality.memorisation["pixels"]["authentic"].samples.value == 0.0
    assert (quality.neighbours["pixels"].nearest == np.arange(100)).all()


def test_noise_lost_classes_and_wrong_labels_are_seen(parts, cache, real):
    noise = np.random.default_rng(0).integers(0, 256, (300, 8, 8, 1), dtype=np.uint8)
    bad = evaluate_pictures(**parts | {"samples": noise}, cache=cache)
    half = np.flatnonzero(parts["sample_labels"] < 5)
    lost = evaluate_pictures(
        **parts | {"samples": parts["samples"][half], "sample_labels": parts["sample_labels"][half]},
        cache=cache,
    )
    for space in ("classifier", "random", "pixels"):
        ours, floor = bad.distances[space]["frechet"]
        assert ours.low > 3 * floor.high, space
        assert bad.distances[space]["kernel"].samples.low > bad.distances[space]["kernel"].floor.high
    for space in ("classifier", "pixels"):
        assert lost.distances[space]["coverage"].samples.high < lost.distances[space]["coverage"].floor.low
        assert lost.distances[space]["recall"].samples.high < lost.distances[space]["recall"].floor.low
    assert lost.opinions["balance"].samples.high < lost.opinions["balance"].floor.low
    wrong = parts | {"sample_labels": (parts["sample_labels"] + 1) % 10}
    assert evaluate_pictures(**wrong, cache=cache).opinions["agreement"].samples.value < 0.05
    assert set(real.by_class) == set(parts["classes"])


def test_cut_values_are_seen(parts, cache):
    cut = np.clip(parts["samples"].astype(int) * 2, 0, 255).astype(np.uint8)
    bright = evaluate_pictures(**parts | {"samples": cut}, cache=cache).range["bright"]
    assert bright.samples.low > bright.floor.high


def assert_whole(quality):
    tree = json.loads(json.dumps(quality.to_dict(), allow_nan=False))
    for figure in figures(tree):
        assert figure["value"] is not None or figure["why"]
    assert [str(row.samples) for row in quality.rows()]
    return tree


def test_two_pictures_held_out(parts, cache):
    quality = evaluate_pictures(
        **parts | {"held": parts["held"][:2], "held_labels": parts["held_labels"][:2]}, cache=cache
    )
    assert_whole(quality)
    ours, floor = quality.distances["classifier"]["frechet"]
    assert ours.value is not None and ours.n == 300
    assert floor.value is None and "only 2 pictures are held out" in floor.why
    assert quality.memorisation["pixels"]["copied"].floor.n == 2
    assert any("no floor" in note for note in quality.notes)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("held", [0, 25])
def test_no_labels(channels, held, cache):
    images = np.random.default_rng(0).integers(0, 256, (80 + held, 40, 40, channels), dtype=np.uint8)
    train, samples, real = images[:50], images[50:80], images[80:]
    quality = evaluate_pictures(samples, None, train, None, real, None, (), cache=cache)
    tree = assert_whole(quality)
    assert list(tree["spaces"]) == ["random", "pixels"] and not tree["opinions"]["samples"]
    assert set(quality.neighbours) == {"random", "pixels"}
    assert any("no classes" in note for note in quality.notes)


def test_one_class_and_a_handful_of_pictures(cache):
    images = np.random.default_rng(0).integers(0, 256, (9, 10, 14, 3), dtype=np.uint8)
    zeros = np.zeros(9, np.int64)
    quality = evaluate_pictures(
        images[:2], zeros[:2], images[2:6], zeros[2:6], images[6:], zeros[6:], ["cat"], cache=cache
    )
    assert_whole(quality)
    assert any("one class" in note.lower() for note in quality.notes)
    assert "4" in quality.distances["pixels"]["frechet"].samples.why


def test_unconditional_samples_still_get_balance_and_confidence(parts, cache):
    quality = evaluate_pictures(**parts | {"sample_labels": None}, cache=cache)
    assert quality.opinions["agreement"].samples.why and quality.opinions["agreement"].floor.value > 0.9
    assert quality.opinions["balance"].samples.value > 0.9 and not quality.by_class


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"samples": np.zeros((3, 9, 9, 1), np.uint8)}, "differ in shape"),
        ({"samples": np.zeros((3, 8, 8, 3), np.uint8)}, "differ in shape"),
        ({"samples": np.zeros((0, 8, 8, 1), np.uint8)}, "no samples"),
        ({"samples": np.zeros((3, 8, 8, 1))}, "uint8"),
        ({"train": np.zeros((2, 8, 8, 1), np.uint8)}, "too few"),
        ({"sample_labels": np.zeros(4, np.int64)}, "one for each"),
    ],
)
def test_wrong_input_is_named(parts, change, words):
    with pytest.raises(DataError, match=words):
        evaluate_pictures(**parts | change)


@pytest.mark.slow
def test_the_5000_digits(tmp_path, quick, monkeypatch):
    from unfog.data import open_pictures
    from unfog.evaluate import classifier

    monkeypatch.setattr(classifier, "LEAST_SEEN", quick)  # this classifier is trained to its end
    store = open_pictures("digits", cache=tmp_path)
    images, labels = np.asarray(store.images), np.asarray(store.labels)
    held = np.random.default_rng(0).permutation(store.held_out)  # the digits are stored class by class
    half = len(held) // 2
    quality = evaluate_pictures(
        images[held[:half]],
        labels[held[:half]],
        images[store.train],
        labels[store.train],
        images[held[half:]],
        labels[held[half:]],
        store.classes,
        cache=tmp_path,
    )
    right = quality.opinions["agreement"]
    assert (right.samples.value * right.samples.n + right.floor.value * right.floor.n) / len(held) >= 0.975
    for space in ("classifier", "random", "pixels"):
        ours, floor = quality.distances[space]["frechet"]
        assert ours.low <= floor.high and floor.low <= ours.high
