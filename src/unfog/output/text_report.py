"""The page that tells how a model of text came about and what it writes: one HTML file, as ``report`` is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unfog.atomic import atomic_write
from unfog.output import figures
from unfog.output.facts import Losses
from unfog.output.report import template
from unfog.output.words import words

_EN = {
    "samples": "Samples, not picked",
    "backward": "Backward: one text as it was written",
    "backward_intro": "Each row is the canvas after some more steps; ░ is a token that is still hidden.",
    "curves": "Training",
    "metrics": "Figures",
    "figure": "Figure",
    "here": "Samples",
    "real": "Real texts",
    "made": "Made by",
    "by_level": "loss, by how much is hidden",
    "time_axis": "share of hidden tokens",
}
_ZH = {
    "samples": "样本（未经挑选）",
    "backward": "反向：一篇文字是怎样写成的",
    "backward_intro": "每一行是又走了几步之后的画布；░ 是仍被遮住的词元。",
    "curves": "训练",
    "metrics": "指标",
    "figure": "指标",
    "here": "样本",
    "real": "真实文本",
    "made": "由此命令生成",
    "by_level": "损失（按被遮住的多少）",
    "time_axis": "被遮住的词元所占的比例",
}
OWN = {"en": _EN, "zh": _ZH}


@dataclass(kw_only=True)
class TextReport:
    """What can be told about a model of text.

    Attributes:
        title: of the page.
        warnings: what to mind.
        facts: (name, value) pairs on data, network and training.
        samples: texts that it wrote.
        canvases: (time, canvas) pairs of one text on its way.
        losses: curves of training.
        figures: (name, of the samples, of real texts).
        command: that makes it again.
    """

    title: str
    warnings: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    samples: Sequence[str] = ()
    canvases: Sequence[tuple[float, str]] = ()
    losses: Losses | None = None
    figures: Sequence[tuple[str, str, str]] = field(default_factory=list)
    command: str = ""


def write_text_report(path: str | Path, report: TextReport, *, lang: str = "en") -> Path:
    """Write the report as one HTML file; returns its path.

    Args:
        path: where to.
        report: what to tell.
        lang: "en" or "zh".
    """
    return atomic_write(path, template("text_report.html").render(**_page(report, lang)))


def _page(report: TextReport, lang: str) -> dict[str, Any]:
    from markupsafe import Markup

    w = {**words(lang), **OWN[lang]}
    longest = max((len(text) for text in report.samples), default=0)
    charts = [] if report.losses is None else figures.loss_charts(report.losses, w)
    return {
        "w": w,
        "title": report.title,
        "warnings": list(report.warnings),
        "facts": list(report.facts),
        "samples": list(report.samples),
        "column": 14 if longest < 60 else 26,
        "canvases": [(f"{time:.2f}", text) for time, text in report.canvases],
        "charts": [Markup(chart) for chart in charts],
        "figures": list(report.figures),
        "command": report.command,
    }
