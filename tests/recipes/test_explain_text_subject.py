"""Texts for a page, and how their tokens look."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import unfog
from unfog.codec import TokenCodec
from unfog.errors import UsageError
from unfog.output.explained_text import Cell
from unfog.recipes.explain_text_subject import cells_of, open_text
from unfog.recipes.listen import Silent

CODEC = TokenCodec.learn(["abc"], "byte")
END, GAP, MASK = CODEC.end, CODEC.gap, CODEC.mask


def shown(tokens: list[int], **more: torch.Tensor | int) -> list[tuple[str, str]]:
    """Text and kind of each cell."""
    return [(cell.text, cell.kind) for cell in cells_of(CODEC, torch.tensor(tokens), **more)]


def test_tokens_on_the_page() -> None:
    a, b = CODEC.encode_text("ab")
    assert shown([a, MASK, GAP, b]) == [("a", "kept"), ("░", "hidden"), ("→", "end"), ("b", "kept")]
    assert shown([a, END, END, END]) == [("a", "kept"), ("∎", "end")]
    assert shown([a, END, b, END]) == [("a", "kept"), ("∎", "end"), ("b", "kept"), ("∎", "end")]
    assert shown([END, END]) == [("∎", "end")] and shown([]) == []
    assert shown([a, MASK], asked=1)[1] == ("?", "asked")
    assert shown([a, b], truth=torch.tensor([a, a])) == [("a", "kept"), ("b", "lost")]
    new, sure = torch.tensor([True, False]), torch.tensor([0.25, 1.0])
    assert cells_of(CODEC, torch.tensor([a, b]), new=new, sure=sure)[0] == Cell("a", "new", 0.25)


def test_letters_of_several_tokens() -> None:
    ids = CODEC.encode_text("月x")
    assert [text for text, _ in shown(ids)] == ["", "", "月", "x"]
    assert "".join(text for text, _ in shown([*ids[:2], MASK])) == "\ufffd░"
    assert len(shown(ids[:2], truth=torch.tensor([0, 0]))) == 3  # what is left of a letter is lost, too
    assert shown(ids[:2], truth=torch.tensor([0, 0]))[-1] == ("\ufffd", "lost")


def test_held_out_texts(writer: Path, texts: Path) -> None:
    model = unfog.load(writer)
    subject = open_text(model, str(texts), 0, Silent())
    assert subject.origin == "held_out" and not subject.other and subject.source == texts.name
    said = texts.read_text("utf-8").split("\n\n")
    rows = [model.codec.decode(row[subject.start :]) for row in subject.x]
    assert all(any(text.strip().startswith(row) for text in said) for row in rows)
    assert subject.counts is not None and subject.counts.argmax() < model.codec.end
    assert not bool(subject.free[:, 0].any()) and bool(subject.free[:, 1:].all())


def test_its_own_texts(writer: Path) -> None:
    model = unfog.load(writer)
    subject = open_text(model, None, 0, Silent())
    assert subject.origin == "drawn" and subject.counts is None
    assert not bool((subject.x == model.codec.mask).any())


def test_a_summary_needs_a_source(summariser: Path, pairs: Path) -> None:
    model = unfog.load(summariser)
    with pytest.raises(UsageError, match="--data"):
        open_text(model, None, 0, Silent())
    subject = open_text(model, str(pairs), 0, Silent())
    assert subject.given and subject.label in (0, 1)
    given = subject.canvas.given(model.codec.mask)
    assert torch.equal(given, ~subject.free[0]) and torch.equal(
        subject.canvas.tokens[given], subject.x[0, given]
    )
