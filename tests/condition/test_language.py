"""What all language models promise: a text is read alike in any company, and blanks say nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.condition.conftest import KINDS
from unfog.condition import LANGUAGE_MODELS, LanguageModel, Spelling, Words, open_language
from unfog.condition.language import mostly, padded_rows
from unfog.data.cache import cache_folder
from unfog.errors import ConfigError, DataError, UnfogError

REAL_CACHE = cache_folder()  # before the tests move it: what this machine has fetched for its user
ALL = [*LANGUAGE_MODELS, *KINDS, "own"]
LONG = "一个红苹果 and a cat, " * 500


class Letters(LanguageModel):
    """A letter is a token; its state is its code and its place. Counts how often it is asked."""

    def __init__(self, longest: int | None = None, pooled: bool = False) -> None:
        self.name, self.width, self.longest, self.pooled = "letters", 2, longest, pooled
        self.asked: list[int] = []

    @property
    def fingerprint(self) -> str:
        return f"letters {self.longest} {self.pooled}"

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    def _read(self, texts: list[str]) -> Words:
        self.asked.append(len(texts))
        ids, mask = padded_rows([[ord(each) for each in text] for text in texts], self.longest, {ord(".")})
        states = torch.stack([ids.float(), torch.arange(ids.shape[1]).expand(ids.shape).float() + 7], -1)
        return Words(states, mask, mask.any(1), states[:, 0] if self.pooled else None)


@pytest.fixture
def named(tiny_model: Callable[[str], Path]) -> Callable[[str], LanguageModel]:
    """A language model by its name in ``ALL``; the test is skipped where it cannot be had."""

    def find(name: str) -> LanguageModel:
        if name == "own":
            return Spelling(lambda texts: [[*text.encode()] for text in texts], "bytes")
        try:
            return open_language(str(tiny_model(name)) if name in KINDS else name, cache=REAL_CACHE)
        except UnfogError as error:
            pytest.skip(str(error))

    return find


@pytest.mark.parametrize("name", ALL)
def test_a_text_is_read_alike_alone_and_among_others(
    name: str, named: Callable[[str], LanguageModel]
) -> None:
    language = named(name)
    texts = [
        "a red apple",
        "  ",
        "two green cubes left of a yellow ball on a mat",
        "红苹果 🍎",
        LONG,
        "a red apple",
    ]
    words = language.read(texts)
    assert words.present.tolist() == [True, False, True, True, True, True]
    assert torch.equal(words.present, words.mask.any(1)) and words.states[~words.mask].abs().sum() == 0
    assert words.states.shape[2:] == ((language.width,) if language.width else ())
    for place, text in enumerate(texts):
        if text.strip():
            alone = language.read([text])
            assert torch.allclose(
                words.states[place][words.mask[place]], alone.states[0][alone.mask[0]], atol=1e-5
            )
            if words.pooled is not None and alone.pooled is not None:
                assert torch.allclose(words.pooled[place], alone.pooled[0], atol=1e-5)
    assert language.cut(texts) == (language.longest is not None)
    assert language.unknown(["a red apple", LONG]) == 0
    assert language.fingerprint == named(name).fingerprint


@pytest.mark.parametrize("name", ALL)
def test_no_text_and_no_character(name: str, named: Callable[[str], LanguageModel]) -> None:
    language = named(name)
    for texts in ([], ["", "\n"]):
        words = language.read(texts)
        assert len(words) == len(texts) and not words.present.any() and words.mask.shape[1] == 1
    for ask in (language.read, language.cut):
        with pytest.raises(DataError, match="half a character"):
            ask(["good", "ba\ud83dd"])


@given(st.lists(st.text("ab. ", max_size=6), max_size=70), st.integers(2, 5), st.booleans())
def test_reading_keeps_the_order_and_the_end(texts: list[str], longest: int, pooled: bool) -> None:
    seen: list[tuple[int, int]] = []
    words = Letters(longest, pooled).read(texts, lambda *at: seen.append(at))
    for text, states, mask in zip(texts, words.states, words.mask, strict=True):
        kept = text[: longest - 1] + "." if len(text) > longest and text[-1] == "." else text[:longest]
        assert "".join(chr(int(code)) for code in states[mask, 0]) == (kept if text.strip() else "")
    assert Letters(longest).cut(texts) == sum(len(text) > longest for text in texts)
    if any(text.strip() for text in texts):
        assert seen[-1] == (len(texts), len(texts))
        assert (words.pooled is not None) is pooled


def test_mostly() -> None:
    assert mostly([[1, 9, 9, 5, 2], [1, 9, 5, 5, 2], [1, 2], [9], []], 9, around=2) == 2
    assert mostly([[1, 2]], None, around=0) == 0


def test_names() -> None:
    with pytest.raises(ConfigError, match=r"no language model 'minilmm'.*'minilm'.*Or give hub"):
        open_language("minilmm")
    with pytest.raises(ConfigError, match="at least 2 tokens"):
        open_language("use", longest=1)
    assert Letters().cut(["a" * 10_000]) == 0
