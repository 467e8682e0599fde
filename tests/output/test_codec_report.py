"""The page of a codec: whole in both languages, and what is named in it is only text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.given import pictures
from tests.output.test_report import Page
from unfog.output.codec_report import OWN, CodecReport, beside, stronger, write_codec_report
from unfog.output.facts import Losses

IMAGES = pictures(10, size=8, channels=3)
WHOLE = CodecReport(
    title="photos: a codec",
    warnings=["Train longer."],
    facts=[("Kind", "vq")],
    pictures=IMAGES,
    again=255 - IMAGES,
    quick=IMAGES,
    worst=IMAGES[:3],
    worst_again=IMAGES[3:6],
    figures=[("PSNR, dB", "31.2", "", "size of the error")],
    bands=[("2 to 4 pixels", "12.0%")],
    channels=[(0.1, 1.5, -3.0, 4.0), (0.0, 2.5, -2.0, 2.0)],
    latents=pictures(4, size=4),
    losses=Losses(train=(range(50), [1 / n for n in range(1, 51)])),
    command="unfog train codec --data photos --out RUN",
)


def html_of(folder: Path, report: CodecReport, lang: str = "en") -> str:
    return write_codec_report(folder / "report.html", report, lang=lang).read_text("utf-8")


@pytest.mark.parametrize("lang", OWN)
def test_a_whole_page_that_needs_nothing_else(tmp_path: Path, lang: str) -> None:
    html = html_of(tmp_path, WHOLE, lang)
    page = Page(html)
    parts = ["beside", "metrics", "worst", "bands", "latents", "setup", "curves", "made"]
    assert not page.open and page.ids == parts
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert not {"script", "iframe", "object", "embed", "form"} & set(page.tags)
    said = [word for name, word in OWN[lang].items() if name != "beside_plain" and word]
    for text in ["Train longer.", "31.2", "12.0%", "vq", WHOLE.command, *said]:
        assert text in page.text


def test_what_is_missing_is_left_out(tmp_path: Path) -> None:
    few = replace(WHOLE, quick=None, figures=(), bands=(), channels=(), losses=None, command="")
    page = Page(html_of(tmp_path, few))
    assert page.ids == ["beside", "worst", "setup"]
    assert OWN["en"]["beside_plain"] in page.text


def test_both_languages_say_the_same_things() -> None:
    assert OWN["en"].keys() == OWN["zh"].keys()
    assert all(ord(max(text)) > 0x2E80 for text in OWN["zh"].values() if text)


def test_names_are_only_text(tmp_path: Path) -> None:
    words = "<script>alert(1)</script>"
    page = Page(html_of(tmp_path, replace(WHOLE, title=words, warnings=[words], facts=[(words, words)])))
    assert "script" not in page.tags and page.text.count(words) >= 4


def test_rows_lie_below_each_other() -> None:
    black, white = np.zeros((5, 4, 4, 1), np.uint8), np.full((5, 4, 4, 1), 200, np.uint8)
    sheet = beside(3, black, white, None)
    rows = np.unique(sheet[:, sheet.shape[1] // 6, 0]).tolist()
    assert set(rows) == {0, 200, 255}
    tops = sheet[:, sheet.shape[1] // 6, 0]
    order = [
        int(value) for value, before in zip(tops[1:], tops[:-1], strict=True) if value != before != value
    ]
    assert [value for value in order if value != 255] == [0, 200, 0, 200]


def test_errors_are_shown_stronger() -> None:
    one, other = np.full((1, 1, 1, 1), 10, np.uint8), np.full((1, 1, 1, 1), 40, np.uint8)
    assert stronger(one, other).tolist() == stronger(other, one).tolist() == [[[[120]]]]
    assert stronger(one, np.full((1, 1, 1, 1), 255, np.uint8)).max() == 255
