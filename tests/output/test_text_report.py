"""The page of a model of text: whole in both languages, and what texts say is only text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.output.test_report import Page
from unfog.errors import OutputError
from unfog.output.facts import Losses
from unfog.output.text_report import OWN, TextReport, write_text_report

WHOLE = TextReport(
    title="quatrains: 32 tokens",
    warnings=["It copies."],
    facts=[("Data", "quatrains.txt, 16,969 documents"), ("Network", "transformer, 2,000 weights")],
    samples=["床前明月光\n疑是地上霜", "a poem of\ntwo lines"],
    canvases=[(1.0, "░░░░"), (0.5, "床░░光"), (0.0, "床前月光")],
    losses=Losses(train=(range(50), [1 / n for n in range(1, 51)]), validation=([10, 20], [0.2, 0.1])),
    figures=[("Distinct words", "12 %", "34 %")],
    command="unfog train language --data quatrains --out RUN",
)
PARTS = {
    "samples": {"samples": ["a"]},
    "backward": {"canvases": [(1.0, "░")]},
    "curves": {"losses": WHOLE.losses},
    "metrics": {"figures": WHOLE.figures},
    "made": {"command": "unfog"},
}


def html_of(folder: Path, report: TextReport, lang: str = "en") -> str:
    """The page as text."""
    return write_text_report(folder / "report.html", report, lang=lang).read_text("utf-8")


@pytest.mark.parametrize("lang", OWN)
def test_a_whole_page_that_needs_nothing_else(tmp_path: Path, lang: str) -> None:
    html = html_of(tmp_path, WHOLE, lang)
    page = Page(html)
    assert not page.open and page.ids == ["setup", *PARTS]
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert not {"script", "iframe", "object", "embed", "form"} & set(page.tags)
    assert f'<html lang="{"en" if lang == "en" else "zh-CN"}">' in html
    told = [*WHOLE.samples, *WHOLE.warnings, *(text for _, text in WHOLE.canvases), WHOLE.command, "34 %"]
    said = (word for name, word in OWN[lang].items() if name not in ("by_level", "time_axis"))  # in charts
    for text in [*told, *(part for fact in WHOLE.facts for part in fact), *said]:
        assert text in page.text
    assert "t = 0.50" in page.text


def test_both_languages_say_the_same_things() -> None:
    assert OWN["en"].keys() == OWN["zh"].keys()
    assert all(ord(max(text)) > 0x2E80 for text in OWN["zh"].values())


@pytest.mark.parametrize("lang", OWN)
@pytest.mark.parametrize("part", PARTS)
def test_every_part_stands_alone(tmp_path: Path, part: str, lang: str) -> None:
    page = Page(html_of(tmp_path, TextReport(title="x", **PARTS[part]), lang))
    assert page.ids == ["setup", part] and not page.open


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "{{ 7*7 }}", "</p></section>"]
)
def test_what_texts_say_is_only_text(tmp_path: Path, words: str) -> None:
    report = TextReport(
        title=words,
        warnings=[words],
        facts=[(words, words)],
        samples=[words],
        canvases=[(0.0, words)],
        figures=[(words, words, words)],
        command=words,
    )
    page = Page(html_of(tmp_path, report))
    assert not page.open and not {"script", "img"} & set(page.tags)
    assert page.text.count(words) >= 9


def test_long_samples_get_wide_columns(tmp_path: Path) -> None:
    for length, width in ((20, "14rem"), (200, "26rem")):
        assert width in html_of(tmp_path, TextReport(title="x", samples=["a", "b" * length]))


def test_the_same_report_is_the_same_page(tmp_path: Path) -> None:
    assert html_of(tmp_path, WHOLE) == html_of(tmp_path, WHOLE)


def test_an_unknown_language(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="--lang"):
        write_text_report(tmp_path / "x.html", WHOLE, lang="fr")
    assert not list(tmp_path.iterdir())
