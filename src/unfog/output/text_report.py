"""The page that tells how a model of text came about and what it writes: one HTML file, as ``report`` is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unfog.output.story_page import Story, write_story

_EN = {
    "samples": "Samples, not picked",
    "backward": "Backward: one text as it was written",
    "backward_intro": "Each row is the canvas after some more steps; ░ is a token that is still hidden.",
    "here": "Samples",
    "real": "Real texts",
    "by_level": "loss, by how much is hidden",
    "time_axis": "share of hidden tokens",
}
_ZH = {
    "samples": "样本（未经挑选）",
    "backward": "反向：一篇文字是怎样写成的",
    "backward_intro": "每一行是又走了几步之后的画布；░ 是仍被遮住的词元。",
    "here": "样本",
    "real": "真实文本",
    "by_level": "损失（按被遮住的多少）",
    "time_axis": "被遮住的词元所占的比例",
}
OWN = {"en": _EN, "zh": _ZH}


@dataclass(kw_only=True)
class TextReport(Story):
    """What can be told about a model of text, beside what ``Story`` has.

    Attributes:
        samples: texts that it wrote.
        canvases: (time, canvas) pairs of one text on its way.
        figures: (name, of the samples, of real texts).
    """

    samples: Sequence[str] = ()
    canvases: Sequence[tuple[float, str]] = ()
    figures: Sequence[tuple[str, str, str]] = ()


def write_text_report(path: str | Path, report: TextReport, *, lang: str = "en") -> Path:
    """Write the report as one HTML file; returns its path.

    Args:
        path: where to.
        report: what to tell.
        lang: "en" or "zh".
    """
    longest = max((len(text) for text in report.samples), default=0)
    return write_story(
        path,
        "text_report.html",
        report,
        OWN,
        lang=lang,
        samples=report.samples,
        column=14 if longest < 60 else 26,
        canvases=[(f"{time:.2f}", text) for time, text in report.canvases],
        figures=report.figures,
    )
