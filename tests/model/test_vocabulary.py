"""The tokens beside the weights are those that the model was made with, or it is not loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.given import small_writer
from unfog.errors import ModelError
from unfog.model import load_text
from unfog.model.vocabulary import TOKENS_FILE, tokens_hash


def test_a_changed_vocabulary_is_found(tmp_path: Path) -> None:
    small_writer().save(tmp_path)
    file = tmp_path / TOKENS_FILE
    text = file.read_text("utf-8")
    assert tokens_hash(text) == load_text(tmp_path).spec.tokens
    file.write_text(text.replace("T", "Q"), "utf-8")
    with pytest.raises(ModelError, match="was changed after it was made"):
        load_text(tmp_path)
    file.write_bytes(b"\xff")
    with pytest.raises(ModelError, match="cannot be read"):
        load_text(tmp_path)
    file.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load_text(tmp_path)
