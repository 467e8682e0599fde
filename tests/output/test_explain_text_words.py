"""Both languages say the same things with the same figures."""

from __future__ import annotations

import re

import pytest

from tests.output.test_explain_words import holes
from unfog.output.explain_text_words import WORDS
from unfog.output.words import WORDS as REPORT
from unfog.sample import TOKEN_SAMPLERS

EN, ZH = WORDS["en"], WORDS["zh"]


def test_the_languages_are_those_of_the_report() -> None:
    assert list(WORDS) == list(REPORT) and list(EN) == list(ZH)
    assert [WORDS[lang]["lang"] for lang in WORDS] == [REPORT[lang]["lang"] for lang in WORDS]


def test_every_order_is_told() -> None:
    assert {f"order_{name}" for name in TOKEN_SAMPLERS} <= set(EN)


@pytest.mark.parametrize("key", EN)
def test_both_print_the_same_figures(key: str) -> None:
    assert holes(EN[key]) == holes(ZH[key])


@pytest.mark.parametrize("key", EN)
def test_sentences_end_and_languages_do_not_mix(key: str) -> None:
    assert not re.search(r"[\u4e00-\u9fff]", EN[key])
    if key.endswith("_text") or key.startswith("order_"):
        assert EN[key].endswith(".") and ZH[key].endswith("。")
    # Chinese sentences have Chinese marks, and a space only beside Latin letters and figures
    assert not re.search(r"[\u4e00-\u9fff][,.;:!?()]|[\u4e00-\u9fff] [\u4e00-\u9fff]", ZH[key])
