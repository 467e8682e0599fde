"""What is told about a pair model agrees with what it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unfog.data import open_pictures
from unfog.errors import DataError
from unfog.model import load_pairs
from unfog.recipes.listen import Silent
from unfog.recipes.pairs_story import evaluate_pairs, found_for, learn_about


def test_pictures_find_their_captions(pairs_run: Path, coloured: Path) -> None:
    model, store = load_pairs(pairs_run), open_pictures(coloured, held_out=0.3)
    known = learn_about(model, store, Silent())
    titles = [each.title() for each in known.found]
    assert len(titles) == 6 and titles[-1] == "imagined to picture, Chinese"
    # sixteen look-alikes share a caption, so that any of them is right
    assert all(each.recall[1].value == 1.0 for each in known.found[:4])
    assert known.near["imagined"].value is not None and known.near["another picture"].value is not None
    assert known.near["imagined"].value > known.near["another picture"].value
    for shown in found_for(model, known, 6):
        assert not shown.own or shown.found[0][1]
    json.dumps(known.values())


def test_evaluate(pairs_run: Path, coloured: Path, shapes: Path) -> None:
    found = evaluate_pairs(load_pairs(pairs_run), coloured)
    assert found.values["found"]["picture to text, Chinese"]["recall"]["1"]["value"] == 1.0
    assert [row[3] for row in found.rows[:4]] == ["lower", "higher", "higher", "higher"]
    assert len(found.notes) == 1 and "Cosine" in found.notes[0]
    with pytest.raises(DataError, match="no held-out pictures with captions"):
        evaluate_pairs(load_pairs(pairs_run), shapes)
