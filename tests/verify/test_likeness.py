"""The checks of likeness find a wrong one."""

from __future__ import annotations

import pytest
import torch

from unfog.verify import likeness
from unfog.verify.likeness import contrast_is_a_softmax, ranks_are_places, ways_keep_to_the_sphere


def test_all_is_well() -> None:
    for check in (contrast_is_a_softmax, ways_keep_to_the_sphere, ranks_are_places):
        assert all(result.passed for result in check()), check.__name__


def test_a_loss_of_one_way_only_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_way(ours, theirs, scale, true):
        return torch.nn.functional.cross_entropy(
            scale * ours @ theirs.T, torch.arange(len(ours)), reduction="none"
        )

    monkeypatch.setattr(likeness, "contrast", one_way)
    assert not all(result.passed for result in contrast_is_a_softmax())


def test_a_straight_way_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "between", lambda a, b, share: (1 - share) * a + share * b)
    assert not all(result.passed for result in ways_keep_to_the_sphere())


def test_kind_ranks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = likeness.ranks
    monkeypatch.setattr(likeness, "ranks", lambda alike, right: (inner(alike, right) - 1).clip(1))
    assert not all(result.passed for result in ranks_are_places())
