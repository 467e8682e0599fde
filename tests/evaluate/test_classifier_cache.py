"""Classifiers are trained once for the same data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unfog.errors import ModelError
from unfog.evaluate.classifier_cache import data_key, load_classifier, open_classifier, save_classifier


def data() -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(80) % 2
    images = np.random.default_rng(0).integers(0, 60, (80, 8, 8, 1)) + 150 * labels[:, None, None, None]
    return images.astype(np.uint8), labels


def test_the_second_opening_reads_what_the_first_trained(tmp_path: Path) -> None:
    images, labels = data()
    calls: list[int] = []
    one = open_classifier(images, labels, 2, 0, tmp_path, lambda done, total: calls.append(done))
    trained = len(calls)
    two = open_classifier(images, labels, 2, 0, tmp_path, lambda done, total: calls.append(done))
    assert trained > 1 and len(calls) - trained <= 1
    assert np.allclose(one.features(images), two.features(images))


def test_the_key_depends_on_pictures_labels_and_seed() -> None:
    images, labels = data()
    variants = [(images, labels, 0), (images, labels, 1), (images, 1 - labels, 0), (255 - images, labels, 0)]
    assert len({data_key(pictures, classes, 2, seed) for pictures, classes, seed in variants}) == 4


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    images, labels = data()
    space = open_classifier(images, labels, 2, 0, tmp_path / "cache", lambda done, total: None)
    save_classifier(space, tmp_path / "one")
    for file in tmp_path.glob("one*"):
        file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(ModelError, match="one"):
        load_classifier(tmp_path / "one")
