"""The report of a run."""

from __future__ import annotations

import re
from pathlib import Path


def test_the_report_tells_the_whole_story(run: Path) -> None:
    page = (run / "report.html").read_text("utf-8")
    for words in ("U-Net", "SNR", "held out", "unfog train image", "cosine", "Nearest"):
        assert words.lower() in page.lower(), words
    assert page.count("data:image/") >= 6


def test_the_report_loads_nothing_from_elsewhere(run: Path) -> None:
    page = (run / "report.html").read_text("utf-8")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
