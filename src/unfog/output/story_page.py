"""What the pages of codecs, pair models and models of text share: one HTML file each, as ``report`` is.

A page opens with its title and warnings; facts, curves of training and the command that makes it again stand
on it under the same names. Everything else is the page's own: its parts, its words, and a template that fills
the blocks of ``report_base.html``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unfog.atomic import atomic_write
from unfog.output import figures
from unfog.output.facts import Losses
from unfog.output.report import template
from unfog.output.words import words

SHARED = {
    "en": {"metrics": "Figures", "figure": "Figure", "curves": "Training", "made": "Made by"},
    "zh": {"metrics": "指标", "figure": "指标", "curves": "训练", "made": "由此命令生成"},
}
"""The words of these pages in each language, where a page has none of its own."""


@dataclass(kw_only=True)
class Story:
    """What can be told about any of these models.

    Attributes:
        title: of the page.
        warnings: what to mind, and what to change.
        facts: (name, value) pairs on data, network and training.
        losses: curves of training.
        command: that makes it again.
    """

    title: str
    warnings: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    losses: Losses | None = None
    command: str = ""


def write_story(
    path: str | Path, name: str, story: Story, own: Mapping[str, dict[str, str]], *, lang: str, **parts: Any
) -> Path:
    """Write a page as one HTML file; returns its path.

    Args:
        path: where to.
        name: of the template.
        story: what to tell.
        own: the words of this page in each language.
        lang: "en" or "zh".
        parts: what this template prints besides.

    Raises:
        OutputError: an unknown language, or the file cannot be written.
    """
    from markupsafe import Markup

    w = {**words(lang), **SHARED[lang], **own[lang]}
    charts = [] if story.losses is None else figures.loss_charts(story.losses, w)
    html = template(name).render(
        w=w,
        title=story.title,
        warnings=story.warnings,
        facts=story.facts,
        charts=[Markup(chart) for chart in charts],
        command=story.command,
        **parts,
    )
    return atomic_write(path, html)
