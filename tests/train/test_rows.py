"""Documents on rows: nothing is lost, END closes each, and of a pair only the summary is learned."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unfog.train.rows import lay, packed, pairs, whole

END, GAP = 90, 91

documents = st.lists(st.lists(st.integers(0, 50), max_size=30).map(np.array), min_size=1, max_size=12)


def as_ids(found: list[np.ndarray]) -> list[np.ndarray]:
    return [each.astype(np.int64) for each in found]


@given(documents, st.integers(2, 20))
def test_whole_rows_hold_every_token_and_fill_up_with_end(found: list[np.ndarray], length: int) -> None:
    found = as_ids(found)
    rows = whole(found, length, END)
    assert rows.tokens.shape[1] == length and not rows.packed
    for number, document in enumerate(found):
        assert (rows.tokens[:, 0] == END).all()
        mine = rows.tokens[rows.document == number][:, 1:].ravel()
        assert (mine[: len(document)] == document).all() and (mine[len(document) :] == END).all()
    assert (rows.start == 1).all() and (rows.stop == length).all()


@given(documents, st.integers(2, 20))
def test_packed_rows_are_one_line_cut_into_pieces(found: list[np.ndarray], length: int) -> None:
    found = as_ids(found)
    rows, line = packed(found, length, END), []
    size = sum(len(document) + 1 for document in found)
    tokens = rows.tokens.ravel()[:size].tolist()
    assert rows.packed and (rows.tokens.ravel()[size:] == END).all() and rows.tokens.size - size < length
    while tokens:
        line.append(tokens[: tokens.index(END)])
        tokens = tokens[len(line[-1]) + 1 :]
    assert sorted(line) == sorted(document.tolist() for document in found)
    for row, document in zip(rows.tokens, rows.document, strict=True):
        begun = row[: (row == END).argmax()] if (row == END).any() else row
        assert str(begun.tolist())[1:-1] in str(found[document].tolist())


def test_documents_are_packed_in_random_order_but_beside_others_of_their_class() -> None:
    found = [np.full(5, number) for number in range(40)]
    rows = packed(found, 6, END)
    neighbours = np.abs(np.diff(rows.document))
    assert sorted(rows.document) == list(range(40)) and (neighbours == 1).sum() < 8
    assert (rows.tokens[:, 0] == rows.document).all()
    classes = np.arange(40) % 3
    parted = packed(found, 6, END, classes)
    assert (np.diff(classes[parted.document]) >= 0).all() and (np.diff(parted.document) != 3).sum() > 30
    assert (packed(found, 6, END).tokens == rows.tokens).all()


def test_auto_packs_long_documents_and_short_ones_but_not_those_that_fill_their_rows() -> None:
    def packs(*sizes: int) -> bool:
        return lay([np.zeros(size, np.int64) for size in sizes], 20, END).packed

    assert not packs(19, 18, 18, 19)
    assert packs(19, 300, 18, 19)
    assert packs(3, 4, 5, 19)
    assert not lay([np.zeros(3, np.int64)], 20, END, "whole").packed


def test_of_a_pair_the_summary_is_learned_and_its_room_ends_with_end() -> None:
    sources = as_ids([np.arange(5), np.arange(30)])
    targets = as_ids([np.array([60, 61]), np.array([62])])
    rows = pairs(sources, targets, 16, gap=GAP, end=END, room=4)
    assert rows.tokens[0].tolist() == [*[END] * 6, 0, 1, 2, 3, 4, GAP, 60, 61, END, END]
    assert (rows.first[0], rows.start[0], rows.stop[0]) == (6, 12, 16)
    assert rows.tokens[1].tolist() == [*range(11), GAP, 62, END, END, END]
    assert (rows.first[1], rows.start[1], rows.stop[1]) == (0, 12, 16)
    assert rows.cut == 1


def test_a_summary_that_is_longer_than_its_room_is_cut_and_counted() -> None:
    rows = pairs(as_ids([np.arange(3)]), as_ids([np.arange(60, 70)]), 16, gap=GAP, end=END, room=4)
    assert rows.cut == 1 and rows.tokens[0, rows.start[0] : rows.stop[0]].tolist() == [60, 61, 62, 63]
