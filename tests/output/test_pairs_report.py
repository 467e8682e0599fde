"""The page of a pair model: whole in both languages, and captions are only text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.given import pictures
from tests.output.test_report import Page
from unfog.output.facts import Losses
from unfog.output.pairs_report import OWN, PairsReport, Shown, write_pairs_report

SHOWN = Shown(pictures(1, channels=3)[0], ("<b>cat</b>", "猫"), (("<script>dog", False), ("猫", True)))
WHOLE = PairsReport(
    title="emoji: pairs",
    warnings=["Train longer."],
    facts=[("Weights", "12")],
    shown=[SHOWN],
    found=[["text to picture", "12", "5%", "20%", "40%", "354", "700"]],
    near=[("imagined", "0.8")],
    losses=Losses(train=(range(50), [1 / n for n in range(1, 51)])),
    command="unfog train pairs --data emoji --out RUN",
)


@pytest.mark.parametrize("lang", OWN)
def test_a_whole_page_that_needs_nothing_else(tmp_path: Path, lang: str) -> None:
    html = write_pairs_report(tmp_path / "report.html", WHOLE, lang=lang).read_text("utf-8")
    page = Page(html)
    assert not page.open and page.ids == ["metrics", "near", "shown", "setup", "curves", "made"]
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert "script" not in page.tags and "&lt;script&gt;dog" in html and "✓ 猫" in html
    assert OWN[lang]["shown"] in html


def test_nothing_but_a_title(tmp_path: Path) -> None:
    page = Page(write_pairs_report(tmp_path / "report.html", PairsReport(title="x")).read_text("utf-8"))
    assert page.ids == ["setup"]


def test_both_languages_have_the_same_words() -> None:
    assert OWN["en"].keys() == OWN["zh"].keys()
