"""Texts of a batch: picking, padding, hiding, and the mean that does not see padding."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unfog.condition.words import Words
from unfog.errors import DataError


def some(lengths: list[int], width: int = 3, pooled: bool = False) -> Words:
    """Words whose states are 100 text + place + feature / 10; 9 in the empty places."""
    longest = max([1, *lengths])
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    states = 100.0 * torch.arange(len(lengths))[:, None] + torch.arange(longest)
    states = states[..., None] + torch.arange(width) / 10
    whole = states[:, 0] if pooled else None
    return Words(torch.where(mask[..., None], states, 9.0), mask, mask.any(1), whole)


lengths = st.lists(st.integers(0, 5), min_size=1, max_size=5)


@given(lengths, lengths, st.booleans())
def test_batches_are_joined_and_taken_apart(first: list[int], second: list[int], pooled: bool) -> None:
    a, b = some(first, pooled=pooled), some(second, pooled=pooled)
    both = a.cat(b)
    assert len(both) == len(first) + len(second) and both.mask.sum(1).tolist() == first + second
    again = both.pick(range(len(first), len(both)))
    assert again.mask.shape[1] == max([1, *second])
    assert torch.equal(again.states[again.mask], b.states[b.mask])
    assert torch.equal(again.present, b.present)
    assert (again.pooled is None) is not pooled


@given(lengths)
def test_the_mean_does_not_see_empty_places(given: list[int]) -> None:
    words = some(given)
    for row, states, length in zip(words.whole(), words.states, given, strict=True):
        assert torch.allclose(row, states[:length].mean(0) if length else torch.zeros(3))
    assert torch.equal(words.padded(9).whole(), words.whole())
    assert words.padded(9).mask.shape == (
        len(given),
        9,
    )
    assert torch.equal(some(given, pooled=True).whole(), some(given, pooled=True).pooled)


def test_slices_bools_and_lists_pick_alike() -> None:
    words = some([3, 1, 2], pooled=True)
    wanted = [each[1:].tolist() for each in words.tensors()]
    for index in (slice(1, None), [1, 2], torch.tensor([1, 2]), torch.tensor([False, True, True])):
        assert [each.tolist() for each in words[index].tensors()] == wanted
    assert len(words[[]]) == 0


def test_hidden_texts_keep_their_place() -> None:
    words = some([3, 1, 0]).hide(torch.tensor([True, False, False]))
    assert words.present.tolist() == [False, True, False] and words.mask.sum(1).tolist() == [3, 1, 0]


def test_a_batch_is_a_tuple_of_tensors() -> None:
    for pooled in (False, True):
        words = some([2, 4], pooled=pooled)
        again = Words.from_tensors(words.tensors())
        assert all(map(torch.equal, again.tensors(), words.tensors()))
        assert len(words.tensors()) == 3 + pooled
    assert words.to("cpu").states.device.type == "cpu"


def test_tokens() -> None:
    words = Words.of_tokens([[5, 6, 7, 8], [], [9]], longest=3)
    assert words.states.tolist() == [[5, 6, 7], [0, 0, 0], [9, 0, 0]] and words.states.dtype == torch.int64
    assert words.mask.sum(1).tolist() == [3, 0, 1] and words.present.tolist() == [True, False, True]
    assert Words.of_tokens([[]], 3).states.shape == (1, 1) and len(Words.of_tokens([], 3)) == 0
    with pytest.raises(DataError, match="tokens, not states"):
        words.whole()
    assert words.padded(5).states.shape == (3, 5)
