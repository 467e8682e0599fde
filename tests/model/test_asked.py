"""What a model can be asked for becomes a condition, and is told by every picture."""

from __future__ import annotations

import pytest
import torch

from unfog.errors import SampleError
from unfog.model.asked import NOTHING, Labels, Wish
from unfog.spec import Spec

SPEC = Spec(
    recipe="image",
    network={},
    schedule={},
    target="v",
    statistics={},
    classes=("cat", "dog"),
    groups=(0, 0, 1),
    shares=(0.25, 0.25, 0.5),
)


def test_classes_take_turns_or_are_named() -> None:
    labels = Labels(SPEC)
    assert labels.choose(3, NOTHING) == [0, 1, 0]
    assert labels.choose(2, Wish(label="dog")) == [1, 1]
    assert labels.told(1) == {"label": "dog"}


def test_a_class_becomes_one_of_its_groups_by_lot_and_by_number_alone() -> None:
    labels = Labels(SPEC)
    groups = labels.raw([0] * 400, range(400), 3)
    assert set(groups.tolist()) == {0, 1}
    assert torch.equal(groups[10:12], labels.raw([0, 0], [10, 11], 3))
    assert set(labels.raw([1] * 20, range(20), 3).tolist()) == {2}
    assert labels.away([0]) is None


def test_words_are_refused_by_a_model_that_reads_none() -> None:
    for wish in (Wish(prompt="a cat"), Wish(negative="a dog")):
        with pytest.raises(SampleError, match=r"reads no words.*text2image"):
            Labels(SPEC).choose(1, wish)
