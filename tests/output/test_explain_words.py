"""Both languages say the same things with the same figures."""

from __future__ import annotations

import re
import string

import pytest

from unfog.output.explain_words import WORDS
from unfog.output.words import WORDS as REPORT

EN, ZH = WORDS["en"], WORDS["zh"]


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_languages_are_those_of_the_report() -> None:
    assert list(WORDS) == list(REPORT)
    assert [WORDS[lang]["lang"] for lang in WORDS] == [REPORT[lang]["lang"] for lang in WORDS]


def test_both_have_the_same_keys() -> None:
    assert list(EN) == list(ZH)


@pytest.mark.parametrize("key", EN)
def test_both_print_the_same_figures(key: str) -> None:
    assert holes(EN[key]) == holes(ZH[key])


@pytest.mark.parametrize("key", EN)
def test_sentences_end_and_languages_do_not_mix(key: str) -> None:
    assert not re.search(r"[\u4e00-\u9fff]", EN[key])
    if key.endswith("_text"):
        assert EN[key].endswith(".") and ZH[key].endswith("。")
    # Chinese sentences have Chinese marks, and a space only beside Latin letters and figures
    assert not re.search(r"[\u4e00-\u9fff][,.;:!?()]|[\u4e00-\u9fff] [\u4e00-\u9fff]", ZH[key])
