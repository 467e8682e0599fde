"""Half the file, hardly another picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.given import small_model, small_writer
from unfog.errors import ModelError, UsageError
from unfog.export import halve
from unfog.model import load, load_pictures
from unfog.weights import early_weights


def test_the_file_is_half_and_the_pictures_are_nearly_the_same(tmp_path: Path) -> None:
    model = small_model(channels=3)
    model.early = early_weights(model.learned_state())
    model.save(tmp_path / "model", card="# Mine")
    before, after = halve(tmp_path / "model", tmp_path / "half")
    whole = (tmp_path / "model" / "model.safetensors").stat().st_size
    assert after < 0.6 * whole < whole < before  # the early weights are left out
    smaller = load_pictures(tmp_path / "half")  # its fingerprint fits, or it would be refused
    assert smaller.fingerprint() != model.fingerprint()
    assert smaller.history[-1] == {"event": "halved", "from": model.fingerprint()}
    assert (tmp_path / "half" / "card.md").read_text() == "# Mine"
    pair = [np.stack([np.asarray(p, float) for p in m.generate(4, seed=1)]) for m in (model, smaller)]
    assert 0 < np.abs(pair[0] - pair[1]).mean() < 1 or np.array_equal(*pair)


def test_text_too_and_twice_changes_nothing_more(tmp_path: Path) -> None:
    small_writer().save(tmp_path / "model")
    halve(tmp_path / "model", tmp_path / "half")
    halve(tmp_path / "half", tmp_path / "again")
    one, two = load(tmp_path / "half"), load(tmp_path / "again")
    assert one.fingerprint() == two.fingerprint()


def test_nothing_is_overwritten_and_nothing_becomes_infinite(tmp_path: Path) -> None:
    model = small_model()
    model.save(tmp_path / "model")
    with pytest.raises(UsageError, match="exists"):
        halve(tmp_path / "model", tmp_path)
    with torch.no_grad():
        next(model.parameters()).fill_(1e6)
    model.save(tmp_path / "huge")
    with pytest.raises(ModelError, match="too large for half"):
        halve(tmp_path / "huge", tmp_path / "half")
    assert not (tmp_path / "half").exists()
