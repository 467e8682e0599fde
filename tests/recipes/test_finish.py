"""The end of a run: the average and the saved model."""

from __future__ import annotations

from pathlib import Path

import torch

import unfog
from unfog.output.provenance import read_provenance
from unfog.train.run import read_log


def test_the_average_is_never_worse_than_the_last_weights_on_held_out_pictures(run: Path) -> None:
    entry = unfog.load(run).history[-1]
    validated = [row["validation"] for row in read_log(run) if row.get("event") == "validation"]
    assert entry["validation"] <= validated[0]


def test_the_preview_names_the_model_that_drew_it(run: Path) -> None:
    entry = read_provenance(run / "model" / "preview.png")
    assert entry is not None and entry.model == unfog.load(run).fingerprint()


def test_the_card_and_history_name_no_folder_of_this_machine(run: Path, shapes: Path) -> None:
    for name in ("card.md", "model.json"):
        assert str(shapes.parent) not in (run / "model" / name).read_text("utf-8")


def test_early_weights_are_kept_with_the_model(run: Path) -> None:
    """Of 24 steps the first average that is stored is that after ten."""
    model = unfog.load(run)
    assert model.history[-1]["early"] == 10 and (run / "model" / "weak.safetensors").is_file()
    weak, own = model.weaker().state_dict(), model.state_dict()
    assert any(not torch.equal(weak[name], own[name]) for name in own)
    assert len(model.generate(1, steps=2, autoguidance=1.5)) == 1
