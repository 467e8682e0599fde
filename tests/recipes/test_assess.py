"""Figures of a model beside those of real pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import unfog
from unfog.data import open_pictures
from unfog.recipes.assess import assess, evaluate_model
from unfog.recipes.listen import Silent


def test_copies_of_the_training_pictures_are_called_copies(shapes: Path) -> None:
    store = open_pictures(shapes)
    copies = np.ascontiguousarray(store.images[store.train[:30]])
    found = assess(store, copies, None, Silent())
    assert found.neighbours.share == 1.0
    assert any("memorises" in text for text in found.warnings)


def test_evaluate_repeats_itself(run: Path, shapes: Path) -> None:
    model = unfog.load(run)
    one, two = (evaluate_model(model, shapes, 20, settings={"steps": 2}) for _ in range(2))
    assert one.rows == two.rows and one.values["figures"] == two.values["figures"]
    assert all(len(row) == 5 for row in one.rows)


def test_other_data_is_noted(run: Path, tmp_path: Path) -> None:
    from unfog.data.toy import write_shapes

    other = write_shapes(tmp_path / "other", count=60, size=16, seed=9)
    found = evaluate_model(unfog.load(run), other, 12, settings={"steps": 2})
    assert any("not exactly the pictures" in note for note in found.notes)
