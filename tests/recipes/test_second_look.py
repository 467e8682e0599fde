"""A second look at finished texts: what it gives, and whom it asks."""

from __future__ import annotations

import math

import pytest
import torch

from tests.given import knowing, small_writer
from unfog.recipes.second_look import second_look, unread, written_places

TEXT = "A dog sees the moon."


def test_bits_of_a_model_that_is_sure() -> None:
    model = knowing(small_writer(), TEXT)
    row = torch.tensor([[model.codec.end, *model.codec.encode_text(TEXT), model.codec.end]])
    wrong = row.clone()
    wrong[0, 3] = model.codec.encode_text("x")[0]
    places = torch.tensor([[2, 3, 4]])
    assert second_look(model, row, places).abs().max() < 1e-6
    bits = second_look(model, wrong, places)[0]
    assert bits[1] == pytest.approx(40 / math.log(2), rel=1e-3) and bits[[0, 2]].abs().max() < 1e-6


@pytest.mark.parametrize("kind", ["masked", "uniform"])
def test_each_place_is_asked_alone(kind: str) -> None:
    model = small_writer(process={"kind": kind, "keep": "linear"})
    rows = torch.randint(0, 90, (3, 24), generator=torch.Generator().manual_seed(0))
    places = torch.tensor([[1, 5], [2, 2], [0, 23]])
    found = second_look(model, rows, places)
    asked = rows.repeat_interleave(2, 0)
    blank = torch.zeros(6, 24, dtype=torch.bool).scatter(1, places.reshape(6, 1), value=True)
    with torch.no_grad():
        said = model.without(asked, blank).log_probs
    for row, place in enumerate(places.flatten().tolist()):
        bits = -float(said[row, place, asked[row, place]]) / math.log(2)
        assert float(found.flatten()[row]) == pytest.approx(bits, rel=1e-4)


def test_the_class_is_told() -> None:
    model = small_writer(classes=("calm", "loud"))
    row, places = torch.randint(0, 90, (1, 24)), torch.tensor([[3]])
    any_, calm, loud = (second_look(model, row, places, label) for label in (None, [0], [1]))
    assert len({float(each) for each in (any_, calm, loud)}) == 3
    assert torch.equal(any_, second_look(model, row, places, [-1]))


def test_what_was_written_ends_with_the_first_end() -> None:
    mask, end = 9, 8
    canvas = torch.tensor([8, 1, 9, 9, 9, 9])
    assert written_places(canvas, torch.tensor([8, 1, 2, 8, 8, 8]), mask, end).tolist() == [2, 3]
    assert written_places(canvas, torch.tensor([8, 1, 2, 3, 4, 5]), mask, end).tolist() == [2, 3, 4, 5]


def test_what_stands_behind_the_end_is_not_read() -> None:
    mask, end = 9, 8
    canvas = torch.tensor([[8, 1, 9, 9, 9, 9]] * 3)
    texts = torch.tensor([[8, 1, 2, 8, 8, 5], [8, 1, 2, 3, 4, 5], [8, 1, 8, 8, 8, 8]])
    expected = torch.tensor([[8, 1, 2, 8, 9, 9], [8, 1, 2, 3, 4, 5], [8, 1, 8, 9, 9, 9]])
    assert torch.equal(unread(canvas, texts, mask, end), expected)
