"""Texts that say who wrote them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfog.errors import DataError
from unfog.output.manuscript import RULE, manuscript, read_manuscript
from unfog.output.provenance import Provenance

ENTRY = Provenance(
    model="ab" * 32,
    recipe="language",
    kind="text",
    seed=7,
    index=3,
    prompt="床前\n明月光",
    version="1",
    settings={"sampler": "ancestral", "steps": 4},
)


def written(folder: Path, text: str) -> Path:
    """A file with this text."""
    path = folder / "0000.txt"
    path.write_text(text, "utf-8", newline="")
    return path


def test_the_note_says_so_in_words_and_stands_last() -> None:
    lines = manuscript(["One.\n", "Two."], ENTRY).splitlines()
    assert lines[:4] == ["One.", "----", "Two.", "----"] and len(lines) == 5
    assert lines[4].startswith("AI-generated with unfog 1.")


@given(texts=st.lists(st.text(), max_size=3))
def test_what_made_a_text_is_read_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("m") / "a.txt"
    path.write_bytes(manuscript(texts, ENTRY).encode("utf-8", "replace"))
    assert read_manuscript(path) == ENTRY


def test_the_texts_stand_before_the_rule() -> None:
    body = manuscript(["a ---- b\n----\nc"], ENTRY).rpartition(RULE)[0]
    assert body == "a ---- b\n----\nc"


@pytest.mark.parametrize(
    "text", ["", "\n", "Only words.", "AI-generated with unfog", "Words unfog: {}", "x unfog: y\nlast line"]
)
def test_other_texts_say_nothing(tmp_path: Path, text: str) -> None:
    assert read_manuscript(written(tmp_path, text)) is None


def test_bytes_that_are_no_text_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(bytes(range(256)) * 2000)
    assert read_manuscript(path) is None


def test_the_note_is_found_behind_a_long_text(tmp_path: Path) -> None:
    assert read_manuscript(written(tmp_path, manuscript(["很长 " * 200_000], ENTRY))) == ENTRY


def test_a_long_note_is_found(tmp_path: Path) -> None:
    entry = dataclasses.replace(ENTRY, prompt="long " * 20_000)
    assert read_manuscript(written(tmp_path, manuscript(["One."], entry))) == entry


@pytest.mark.parametrize("cut", [1, 10, 100])
def test_a_damaged_note_is_said_to_be_damaged(tmp_path: Path, cut: int) -> None:
    text = manuscript(["One."], ENTRY).rstrip("\n")
    with pytest.raises(DataError, match="provenance"):
        read_manuscript(written(tmp_path, text[:-cut]))


def test_the_same_text_gives_the_same_bytes() -> None:
    assert manuscript(["a"], ENTRY) == manuscript(["a"], ENTRY)
