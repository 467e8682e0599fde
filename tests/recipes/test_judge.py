"""One judge for many sets of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unfog.data import open_pictures
from unfog.recipes.judge import Judge
from unfog.recipes.listen import Silent


def test_real_pictures_are_nearer_than_noise(shapes: Path, tmp_path: Path) -> None:
    store = open_pictures(shapes, cache=tmp_path)
    judge = Judge(store, Silent())
    real, labels = store.images[store.train], store.labels[store.train]
    noise = np.random.default_rng(0).integers(0, 256, real.shape, dtype=np.uint8)
    (near, right), (far, guessed) = judge.figures(real, labels), judge.figures(noise, labels)
    assert near.value < 0.1 * far.value
    assert right.value > 0.9 > guessed.value
    assert judge.figures(real, None)[1] is None
    assert "classifier" in judge.space
    apart, same = judge.apart(real, noise), judge.apart(real, real)
    assert same.value < 1e-3 < apart.value
    assert apart.value == pytest.approx(judge.apart(noise, real).value)
