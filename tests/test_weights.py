"""Weights on disk: what fits comes back, what does not is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from unfog.errors import ModelError
from unfog.weights import digest, read_weights, write_weights

WEIGHTS = {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor([1, 2])}


def test_they_come_back_bit_for_bit(tmp_path: Path) -> None:
    write_weights(tmp_path / "w.safetensors", WEIGHTS)
    again = read_weights(tmp_path / "w.safetensors", WEIGHTS)
    assert again.keys() == WEIGHTS.keys() and all(torch.equal(again[k], WEIGHTS[k]) for k in WEIGHTS)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"a": WEIGHTS["a"]}, "'b' is missing on one side"),
        ({**WEIGHTS, "b": torch.zeros(3)}, r"shape \(2,\)"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, wanted: dict[str, torch.Tensor], words: str) -> None:
    write_weights(tmp_path / "w.safetensors", WEIGHTS)
    with pytest.raises(ModelError, match=words):
        read_weights(tmp_path / "w.safetensors", wanted)


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is missing"):
        read_weights(tmp_path / "w.safetensors", WEIGHTS)
    (tmp_path / "w.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="is damaged"):
        read_weights(tmp_path / "w.safetensors", WEIGHTS)


def test_the_digest_is_of_words_and_weights() -> None:
    one = digest({"x": 1}, WEIGHTS)
    assert digest({"x": 1}, dict(reversed(WEIGHTS.items()))) == one
    assert digest({"x": 2}, WEIGHTS) != one
    assert digest({"x": 1}, {**WEIGHTS, "b": torch.tensor([1, 3])}) != one
