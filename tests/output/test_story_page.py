"""What the pages of codecs, pair models and models of text share, seen on each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.output import test_codec_report, test_pairs_report, test_text_report
from tests.output.test_report import Page
from unfog.errors import OutputError
from unfog.output import codec_report, pairs_report, text_report
from unfog.output.story_page import SHARED, Story

PAGES: dict[str, tuple[Callable[..., Path], Story, dict[str, dict[str, str]]]] = {
    "codec": (codec_report.write_codec_report, test_codec_report.WHOLE, codec_report.OWN),
    "pairs": (pairs_report.write_pairs_report, test_pairs_report.WHOLE, pairs_report.OWN),
    "text": (text_report.write_text_report, test_text_report.WHOLE, text_report.OWN),
}


def page_of(folder: Path, kind: str, lang: str = "en", **changes: Any) -> Page:
    """A whole page with some changes."""
    write, whole, _ = PAGES[kind]
    return Page(write(folder / "report.html", replace(whole, **changes), lang=lang).read_text("utf-8"))


@pytest.mark.parametrize("lang", SHARED)
@pytest.mark.parametrize("kind", PAGES)
def test_shared_words_stand_where_a_page_has_no_others(tmp_path: Path, kind: str, lang: str) -> None:
    page, own = page_of(tmp_path, kind, lang), PAGES[kind][2][lang]
    assert not page.open
    for name in ("metrics", "curves", "made"):
        assert own.get(name, SHARED[lang][name]) in page.text


def test_both_languages_have_the_same_words() -> None:
    assert SHARED["en"].keys() == SHARED["zh"].keys()
    assert all(ord(max(text)) > 0x2E80 for text in SHARED["zh"].values())


@pytest.mark.parametrize("lang", SHARED)
@pytest.mark.parametrize("kind", PAGES)
def test_no_page_says_again_what_is_shared(kind: str, lang: str) -> None:
    assert not SHARED[lang].items() & PAGES[kind][2][lang].items()


@pytest.mark.parametrize("kind", PAGES)
def test_facts_warnings_and_the_command_are_told(tmp_path: Path, kind: str) -> None:
    asked = {"title": "<b>T", "warnings": ["<i>W"], "facts": [("<i>F", "<i>V")], "command": "unfog <C>"}
    page = page_of(tmp_path, kind, **asked)
    assert all(text in page.text for text in ("<b>T", "<i>W", "<i>F", "<i>V", "unfog <C>"))
    assert not {"b", "i", "c"} & set(page.tags)


@pytest.mark.parametrize("kind", PAGES)
def test_what_is_not_known_has_no_section(tmp_path: Path, kind: str) -> None:
    assert {"curves", "made"} <= set(page_of(tmp_path, kind).ids)
    page = page_of(tmp_path, kind, warnings=(), losses=None, command="")
    assert not page.open and "setup" in page.ids and not {"curves", "made"} & set(page.ids)


@pytest.mark.parametrize("kind", PAGES)
def test_an_unknown_language(tmp_path: Path, kind: str) -> None:
    with pytest.raises(OutputError, match="--lang"):
        page_of(tmp_path, kind, "fr")
    assert not list(tmp_path.iterdir())
