"""Words on disk: the same as read anew, read once, and never trusted when damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.condition.test_language import Letters
from unfog.condition import Spelling, word_cache
from unfog.condition.word_cache import WordStore, open_words
from unfog.condition.words import Words
from unfog.errors import DataError

TEXTS = ["a cat", "", "dog", "a cat", "ab ba ab", " "]


def same(ours: Words, theirs: Words) -> None:
    assert torch.equal(ours.mask, theirs.mask) and torch.equal(ours.present, theirs.present)
    assert torch.equal(ours.states, theirs.states) and ours.states.dtype == theirs.states.dtype
    assert (ours.pooled is None) == (theirs.pooled is None)
    assert ours.pooled is None or theirs.pooled is None or torch.equal(ours.pooled, theirs.pooled)


@given(st.lists(st.text("abc ", max_size=5), max_size=80), st.booleans(), st.integers(1, 40))
def test_what_comes_back_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], pooled: bool, chunk: int
) -> None:
    cache = tmp_path_factory.mktemp("words")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_cache, "CHUNK", chunk)
        store = open_words(Letters(pooled=pooled), texts, cache=cache)
    whole = Letters(pooled=pooled).read(texts)
    assert len(store) == len(texts)
    if any(text.strip() for text in texts):
        same(store.pick(range(len(texts))), whole)
        backwards = list(range(len(texts)))[::2][::-1]
        same(store.pick(torch.tensor(backwards)), whole.pick(backwards))
    else:
        assert not store.pick(range(len(texts))).present.any() and store.pick([]).mask.shape == (0, 1)


def test_every_text_is_read_once(tmp_path: Path) -> None:
    first, seen = Letters(), []
    open_words(first, TEXTS * 50, cache=tmp_path, progress=lambda *at: seen.append(at))
    assert sum(first.asked) == 3 and seen[-1] == (5, 5)
    for texts in (TEXTS * 50, TEXTS, TEXTS[:3] + TEXTS):  # the same different texts
        again = Letters()
        same(open_words(again, texts, cache=tmp_path).pick([2, 0]), first.read(["dog", "a cat"]))
        assert not again.asked
    for other, texts in ((Letters(longest=3), TEXTS), (Letters(), TEXTS[:3])):
        open_words(other, texts, cache=tmp_path)
        assert other.asked


def damages(folder: Path) -> Iterator[str]:
    """Damage one file after the other; each time the folder was made whole before."""
    for name in ("words-0000.safetensors", "index.safetensors", "manifest.json"):
        raw = (folder / name).read_bytes()
        (folder / name).write_bytes(raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:])
        yield "has changed|cannot be read"
        (folder / name).write_bytes(raw[: len(raw) // 2])
        yield "has changed|cannot be read"
        (folder / name).unlink()
        yield f"{name} is missing"


@pytest.mark.parametrize("full", [True, False])
def test_a_damaged_cache_is_read_again(tmp_path: Path, full: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_cache, "FULL_CHECK", 10**9 if full else 0)
    assert open_words(Letters(), TEXTS, cache=tmp_path).notes == ()
    (folder,) = (path for path in (tmp_path / "words").iterdir() if path.is_dir())
    for why in damages(folder):
        again = Letters()
        store = open_words(again, TEXTS, cache=tmp_path)
        assert again.asked and len(store.notes) == 1 and "read again" in store.notes[0]
        assert any(part in store.notes[0] for part in why.split("|"))
        same(store.pick([0, 2]), again.read(["a cat", "dog"]))
        assert not open_words(Letters(), TEXTS, cache=tmp_path).notes


def test_states_beyond_half_precision_stay_finite(tmp_path: Path) -> None:
    class Loud(Letters):
        def _read(self, texts: list[str]) -> Words:
            words = super()._read(texts)
            return Words(words.states * 1e4, words.mask, words.present)

    assert open_words(Loud(), ["zz"], cache=tmp_path).pick([0]).states.isfinite().all()


def test_plain_tokens_need_no_disk(tmp_path: Path) -> None:
    own = Spelling(lambda texts: [[*text.encode()] for text in texts], "bytes")
    store: WordStore = open_words(own, TEXTS, cache=tmp_path)
    same(store.pick([4, 1, 0]), own.read(["ab ba ab", "", "a cat"]))
    assert not list(tmp_path.iterdir()) and store.pick([1]).states.tolist() == [[0]]


def test_a_full_disk_and_half_a_character(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="half a character"):
        open_words(Letters(), ["\ud800"], cache=tmp_path)
    (tmp_path / "words").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"):
        open_words(Letters(), TEXTS, cache=tmp_path)
