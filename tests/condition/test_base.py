"""A condition has one slot per way in; an encoder fills some of them."""

from __future__ import annotations

import pytest
import torch

from unfog.condition import ENCODERS, NONE, Condition, Encoder


def full(value: float = 0.0) -> Condition:
    return Condition(
        vector=torch.full((2, 3), value),
        tokens=torch.full((2, 4, 3), value),
        mask=torch.ones(2, 4, dtype=torch.bool),
        picture=torch.full((2, 2, 3), value),
        concat=torch.full((2, 1, 5, 5), value),
    )


def test_only_filled_slots_are_handed_to_the_network() -> None:
    assert NONE.slots() == {}
    assert full().slots().keys() == {"vector", "tokens", "mask", "picture", "concat"}
    only = Condition(concat=torch.zeros(1, 1, 2, 2))
    assert only.slots().keys() == {"concat"} and only.slots()["concat"] is only.concat


def test_map_changes_every_slot_and_leaves_empty_ones_empty() -> None:
    first = full().map(lambda slot: slot[:1])
    assert all(len(slot) == 1 for slot in first.slots().values()) and len(first.slots()) == 5
    assert Condition(vector=torch.zeros(2, 3)).map(lambda slot: slot + 1).tokens is None
    assert NONE.map(lambda slot: slot + 1) == NONE


def test_cat_puts_one_batch_after_the_other() -> None:
    both = full(0.0).cat(full(1.0))
    for slot in both.slots().values():
        assert len(slot) == 4
    assert both.vector is not None
    assert both.vector[:2].sum() == 0 and both.vector[2:].sum() == 6


def test_fewer_tokens_are_filled_up_and_masked() -> None:
    long, short = full(1.0), Condition(tokens=torch.ones(2, 1, 3))
    for first, second in ((Condition(tokens=long.tokens, mask=long.mask), short), (short, long)):
        if second is long:
            second = Condition(tokens=long.tokens, mask=long.mask)
        both = first.cat(second)
        assert both.tokens is not None and both.mask is not None
        assert both.tokens.shape == (4, 4, 3) and both.mask.sum(1).sort().values.tolist() == [1, 1, 4, 4]
        assert both.tokens[~both.mask].abs().sum() == 0 and both.tokens[both.mask].sum() == 3 * 10
    assert full().padded(2).tokens is not None and NONE.padded(3) == NONE


@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_of_the_table_is_one(name: str) -> None:
    assert issubclass(ENCODERS[name], Encoder)


def test_an_encoder_must_know_what_nothing_is() -> None:
    class Mute(Encoder):
        def forward(self, raw: object) -> Condition:
            return NONE

    with pytest.raises(TypeError, match="null"):
        Mute()
