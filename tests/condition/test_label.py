"""Labels: one vector per class, and one for "any"."""

from __future__ import annotations

import pytest
import torch

from unfog.condition import ANY, LabelEncoder


def test_each_class_has_its_own_vector() -> None:
    encoder = LabelEncoder(3, 8)
    vectors = encoder(torch.tensor([0, 1, 2, 1])).vector
    assert vectors is not None and vectors.shape == (4, 8)
    assert torch.equal(vectors[1], vectors[3])
    assert len({tuple(v.tolist()) for v in vectors}) == 3


def test_any_is_a_vector_of_its_own() -> None:
    encoder = LabelEncoder(3, 8)
    null, labelled = encoder.null(2).vector, encoder(torch.tensor([0, 1, 2])).vector
    assert null is not None and labelled is not None and null.shape == (2, 8)
    assert torch.equal(null[0], null[1])
    assert not any(torch.equal(null[0], each) for each in labelled)
    mixed = encoder(torch.tensor([ANY, 1])).vector
    assert mixed is not None and torch.equal(mixed[0], null[0])


def test_only_the_labels_that_were_seen_learn() -> None:
    encoder = LabelEncoder(4, 2)
    vector = encoder(torch.tensor([1, ANY])).vector
    assert vector is not None
    vector.sum().backward()
    gradient = encoder.table.weight.grad
    assert gradient is not None
    assert gradient.abs().sum(1).gt(0).tolist() == [False, True, False, False, True]


def test_a_class_that_does_not_exist_is_no_silent_success() -> None:
    with pytest.raises(IndexError):
        LabelEncoder(3, 2)(torch.tensor([7]))
