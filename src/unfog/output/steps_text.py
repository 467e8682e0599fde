"""The picture of ``unfog steps`` for a model of text: bits and variety against network calls."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unfog.atomic import atomic_write
from unfog.output.charts import INK
from unfog.output.steps import Points, lines, look

ACROSS = 2  # charts beside each other
REAL = "real texts"  # a limit with dashes of its own


@dataclass(frozen=True)
class Panel:
    """One of the charts.

    Attributes:
        title: what the height says.
        points: by sampler, (calls, height).
        limits: name to height of what it is compared with.
    """

    title: str
    points: Mapping[str, Points]
    limits: Mapping[str, float]


def draw_text_steps(path: str | Path, panels: Sequence[Panel], chosen: tuple[str, float]) -> Path:
    """Write a PNG with a chart for each panel.

    Args:
        path: where to.
        panels: what to draw, the first with the legend.
        chosen: sampler and calls of the recommended default; marked.

    Raises:
        OutputError: if the file cannot be written.
    """
    from matplotlib.figure import Figure

    rows = -(-len(panels) // ACROSS)
    figure = Figure(figsize=(5.5 * ACROSS, 4.6 * rows), dpi=130, layout="constrained")
    for number, panel in enumerate(panels):
        axes = figure.add_subplot(rows, ACROSS, number + 1)
        lines(axes, panel.points, chosen[0])
        for name, height in panel.limits.items():
            dash = (4, 3) if name == REAL else (1, 2)
            axes.axhline(height, color=INK, lw=1, ls=(0, dash), label=name)
        for calls, height in panel.points.get(chosen[0], ()):
            if calls == chosen[1]:
                axes.plot([calls], [height], "o", ms=13, mfc="none", mec=INK, mew=1.5, label="new default")
        axes.set_title(panel.title, loc="left", color=INK)
        look(axes, "text", log=False)
        if panel is not panels[0] and (legend := axes.get_legend()) is not None:
            legend.remove()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": "unfog"})
    return atomic_write(path, buffer.getvalue())
