"""The picture of ``unfog steps``: error and quality against network calls, on logarithmic scales."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unfog.atomic import atomic_write
from unfog.output.charts import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = Sequence[tuple[float, float]]
TICKS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 30, 50, 100, 200, 500, 1000)


def draw_steps(
    path: str | Path,
    errors: Mapping[str, Points],
    quality: Mapping[str, Points],
    reference: tuple[str, float],
    chosen: tuple[str, int],
) -> Path:
    """Write a PNG with two charts.

    Args:
        path: where to.
        errors: by sampler, (calls, distance from the fine reference).
        quality: by sampler, (calls, distance of its pictures from real ones).
        reference: what quality is compared with, and its distance.
        chosen: sampler and calls of the recommended default; marked.

    Raises:
        OutputError: if the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), dpi=130, layout="constrained")
    left, right = figure.subplots(1, 2)
    lines(left, errors, chosen[0].split(",")[0])
    left.set_title("How far from where many steps lead", loc="left", color=INK)
    lines(right, quality, chosen[0])
    right.axhline(reference[1], color=INK, lw=1, ls=(0, (4, 3)), label=reference[0])
    best = [y for x, y in quality.get(chosen[0], ()) if x == chosen[1]]
    if best:
        right.plot([chosen[1]], best, "o", ms=13, mfc="none", mec=INK, mew=1.5, label="new default")
    right.set_title("Distance of the pictures from real ones", loc="left", color=INK)
    for axes in (left, right):
        look(axes)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": "unfog"})
    return atomic_write(path, buffer.getvalue())


def lines(axes: Axes, points_of: Mapping[str, Points], strong: str) -> None:
    """Draw one line for each name, that of ``strong`` thicker."""
    from matplotlib import colormaps

    colours = colormaps["tab10"].colors  # type: ignore[attr-defined]
    for index, (name, points) in enumerate(points_of.items()):
        ordered = sorted(points)
        look: dict[str, Any] = {"lw": 2.4, "ms": 6} if name == strong else {"lw": 1.2, "ms": 4}
        axes.plot(
            [x for x, _ in ordered],
            [y for _, y in ordered],
            marker="os^vD"[index % 5],
            color=colours[index % 10],
            ls="-" if index < 10 else "--",
            label=name,
            **look,
        )


def look(axes: Axes, of: str = "picture", *, log: bool = True) -> None:
    """Axes, grid and legend: network calls for each ``of`` below; ``log`` is about the vertical axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, ScalarFormatter

    axes.set_xscale("log")
    axes.set_xlabel(f"network calls for each {of}", color=INK)
    least, most = axes.get_xlim()
    axes.set_xticks([tick for tick in TICKS if least <= tick <= most])
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=FAINT, lw=0.8)
    axes.tick_params(length=0, colors=INK)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8, labelcolor=INK, ncols=2)
