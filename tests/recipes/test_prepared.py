"""What a recipe hands to the loop: the held-out batch is of the same kind as the training batches."""

from __future__ import annotations

from pathlib import Path

import torch

from unfog.recipes import image
from unfog.recipes.listen import Silent
from unfog.recipes.prepared import Prepared


def test_training_and_validation_are_of_one_kind(shapes: Path) -> None:
    config = image.ImageConfig(data=image.DataConfig(source=str(shapes)))
    prepared = image.prepare(config, Silent())
    assert isinstance(prepared, Prepared)
    batch, asked = prepared.batches(config)(0), prepared.validation()
    assert len(batch) == len(asked)
    for one, other in zip(batch, asked, strict=True):
        assert isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor)
        assert one.shape[1:] == other.shape[1:] and one.dtype == other.dtype
    assert prepared.facts(config)["pictures"] + prepared.facts(config)["held_out"] == len(prepared.store)
