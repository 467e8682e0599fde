"""A run on texts: its batches, its previews, and what it says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from unfog.output.manuscript import read_manuscript
from unfog.recipes import language
from unfog.recipes.language_run import Texts
from unfog.recipes.listen import Silent
from unfog.train import TextTrainConfig


@pytest.fixture
def prepared(tmp_path: Path) -> Texts:
    rows = [f'{{"text": "the {c} cat {i}", "label": "{c}"}}' for i in range(30) for c in ("red", "blue")]
    (tmp_path / "cats.jsonl").write_text("\n".join(rows), "utf-8")
    config = language.LanguageConfig(
        preset="tiny",
        data=language.CorpusConfig(source=str(tmp_path / "cats.jsonl"), tokens="byte"),
        network={"width": 64, "depth": 1},
    )
    return language.prepare(config, Silent())


def test_a_batch_is_a_function_of_its_step(prepared: Texts) -> None:
    config = language.LanguageConfig(data=language.CorpusConfig(source="x"), train=TextTrainConfig(batch=7))
    one, two = prepared.batches(config), prepared.batches(config)
    for step in (0, 5, 40):
        for a, b in zip(one(step), two(step), strict=True):
            assert a is not None and b is not None and torch.equal(a, b)
    x, learned, labels = one(3)
    assert x is not None and learned is not None and labels is not None
    assert x.shape == (7, prepared.model.spec.context) and (learned == torch.tensor([0, 1, x.shape[1]])).all()
    for row, label in zip(x, labels, strict=True):  # a text keeps its label
        assert prepared.model.spec.classes[int(label)] in prepared.model.codec.decode(row[1:])


def test_a_preview_is_text_with_its_provenance(prepared: Texts, tmp_path: Path) -> None:
    assert prepared.preview(tmp_path, 12, "abc") == []
    (path,) = (tmp_path / "previews").iterdir()
    found = read_manuscript(path)
    assert path.name == "step-00000012.txt" and found is not None
    assert found.model == "abc" and found.settings["step"] == 12


def test_validation_asks_the_held_out_texts(prepared: Texts) -> None:
    x = prepared.validation()[0]
    assert x is not None
    held = {prepared.corpus.texts[i] for i in prepared.corpus.held_out}
    assert {prepared.model.codec.decode(row[1:]) for row in x} == held
