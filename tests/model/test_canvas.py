"""Canvases: what is given is there, what is to be written is open, what does not fit is refused in words."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unfog.codec import TokenCodec
from unfog.errors import SampleError
from unfog.model.canvas import Canvas, Layout, encoded, pieces_of, rounded

CODEC = TokenCodec.learn(["abcdef ghi."])
LAYOUTS = {packed: Layout(CODEC, 24, packed=packed, room=8) for packed in (False, True)}


def shown(canvas: Canvas) -> str:
    """The text that is asked for, _ where it is open."""
    return CODEC.decode(canvas.tokens[canvas.start :], hidden="_")


@pytest.mark.parametrize("packed", LAYOUTS)
def test_a_beginning_is_followed_by_what_is_open(packed: bool) -> None:
    canvas = LAYOUTS[packed].beginning("abc", 10)
    assert len(canvas.tokens) == 10 and canvas.tokens.dtype == torch.int64
    assert shown(canvas) == "abc" + "_" * (7 - canvas.start)
    open = ~canvas.given(CODEC.mask)
    assert torch.equal(open, torch.arange(10) >= canvas.start + 3)


@pytest.mark.parametrize("packed", LAYOUTS)
def test_without_a_prompt_the_whole_canvas_is_open(packed: bool) -> None:
    canvas = LAYOUTS[packed].beginning()
    assert len(canvas.tokens) == 24
    assert bool((canvas.tokens[canvas.start :] == CODEC.mask).all())


@pytest.mark.parametrize("packed", LAYOUTS)
def test_a_prompt_leaves_room_for_a_token(packed: bool) -> None:
    layout = LAYOUTS[packed]
    longest = 24 - layout.beginning().start - 1
    assert shown(layout.beginning("a" * longest)) == "a" * longest + "_"
    with pytest.raises(SampleError, match=f"has {longest + 1} tokens.*shorter prompt"):
        layout.beginning("a" * (longest + 1))


@pytest.mark.parametrize("packed", LAYOUTS)
@given(
    pieces=st.lists(st.text("abc .", max_size=3), min_size=2, max_size=4),
    blanks=st.lists(st.integers(1, 3), min_size=3, max_size=3),
)
def test_blanks_lie_between_their_pieces(packed: bool, pieces: list[str], blanks: list[int]) -> None:
    blanks = blanks[: len(pieces) - 1]
    canvas = LAYOUTS[packed].between(pieces, blanks)
    wanted = pieces[0] + "".join("_" * n + piece for piece, n in zip(pieces[1:], blanks, strict=True))
    assert shown(canvas) == wanted
    closed = canvas.start + len(wanted)
    assert bool((canvas.tokens[closed:] == CODEC.end).all()) and len(canvas.tokens) > closed
    assert packed or len(canvas.tokens) == 24, "END fills up a row of one document"


def test_the_space_before_a_blank_belongs_to_the_word_that_is_written_there() -> None:
    pairs = TokenCodec.learn(["the red library of\n the red house"] * 9, "bpe", 300)
    layout = Layout(pairs, 24)
    assert len(pairs.encode_text(" library")) == 1, "a word holds its space"
    canvas = layout.between(["the ", " of ", " red"], [1, 1])
    assert pairs.decode(canvas.tokens[canvas.start :], hidden="_") == "the_ of_ red"
    assert pairs.decode(layout.beginning("the ").tokens[1:], hidden="_").startswith("the_")
    assert pairs.decode(layout.between(["the "]).tokens[1:]) == "the ", "nothing is written behind it"
    assert canvas.spaced == (2, 4) and canvas.tokens[[2, 4]].tolist() == [pairs.mask] * 2
    assert layout.beginning("the ").spaced == (2,) and layout.beginning("the").spaced == ()
    for kept in ("the  ", "the\n ", "the"):
        assert pairs.decode(layout.beginning(kept).tokens[1:], hidden="_").startswith(kept + "_")
    assert shown(LAYOUTS[True].between(["abc ", "."], [1])) == "abc _.", "characters hold no space"


@pytest.mark.parametrize("packed", LAYOUTS)
def test_blanks_that_do_not_fit_are_refused(packed: bool) -> None:
    with pytest.raises(SampleError, match=r"sees 24 at once.*shorter blanks"):
        LAYOUTS[packed].between(["abc", "def"], [20])


def test_a_source_is_followed_by_room_for_its_summary() -> None:
    layout = LAYOUTS[False]
    canvas = layout.beneath("abc def.")
    before = canvas.tokens[: canvas.start - 9]
    assert bool((before == CODEC.end).all()) and len(before) == 24 - 9 - 8, "END fills up what is left"
    assert CODEC.decode(canvas.tokens[len(before) : canvas.start]) == "abc def."
    assert int(canvas.tokens[canvas.start - 1]) == CODEC.gap
    assert (
        bool((canvas.tokens[canvas.start :] == CODEC.mask).all()) and len(canvas.tokens) == canvas.start + 8
    )


def test_a_source_that_leaves_no_room_is_refused() -> None:
    layout = LAYOUTS[False]
    assert len(layout.beneath("a" * layout.longest).tokens) <= 24
    with pytest.raises(SampleError, match=f"has {layout.longest + 1} tokens.*up to {layout.longest}"):
        layout.beneath("a" * (layout.longest + 1))


def test_characters_that_were_never_seen_are_named() -> None:
    layout = LAYOUTS[False]
    for make in (layout.beginning, layout.beneath, lambda text: layout.between([text])):
        with pytest.raises(SampleError, match=r"never saw these characters.*: z 猫\nLeave them out"):
            make("a z 猫 z")
    with pytest.raises(SampleError, match=" \\.\\.\\."):
        encoded(CODEC, "ABCDEFGHIJKLMNOP")
    taken = layout.beneath("z", known=False)
    assert CODEC.decode(taken.tokens[: taken.start], stop=False) == "z", "measuring takes them as they are"


def test_a_blank_is_three_underscores_or_more() -> None:
    assert pieces_of("a ___ b_____c") == ["a ", " b", "c"]
    assert pieces_of("___") == ["", ""]
    for text in ("a b", "a __ b", "snake_case", ""):
        with pytest.raises(SampleError, match="three underscores"):
            pieces_of(text)


@given(st.integers(1, 300), st.integers(1, 300))
def test_canvases_of_pairs_have_few_lengths(length: int, context: int) -> None:
    found = rounded(min(length, context), context)
    assert min(length, context) <= found <= context
    assert found == context or (found % 16 == 0 and found < length + 16)
