"""Small charts for the page: drawn by matplotlib, put in as SVG text, in the colours of the page.

matplotlib draws with fixed colours; in its SVG they are then exchanged for CSS variables, so that the same
text serves light and dark pages. The four line colours are from Okabe and Ito's palette, which people with
colour-blindness tell apart; lines differ in dashes as well.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unfog.output.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
INK, FAINT = "#333334", "#dddddc"
PAGE = dict(zip((*COLOURS, INK, FAINT), ("blue", "orange", "green", "pink", "ink", "line"), strict=True))
_DASHES: tuple[Any, ...] = ("-", (0, (3, 2)), (0, (1, 1.5)), (0, (4, 1.5, 1, 1.5)))
_INCHES, _POINTS_AN_INCH = (6.1, 3.75), 72
_LARGEST = 1e30  # beyond this, and below its inverse on a logarithmic axis, a value is as good as infinite
_POINTS = 400  # more would only make the page heavier

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """One line or row of bars: ``x`` and ``y`` of equal length; points that are not finite are left out."""

    name: str
    x: ArrayLike
    y: ArrayLike
    faint: bool = False
    colour: int = 0


def smoothed(values: ArrayLike, span: float) -> Floats:
    """Exponential moving averages over some ``span`` values from both ends, meaned: no lag."""
    values = np.asarray(values, dtype=np.float64)
    return (_moving_average(values, span) + _moving_average(values[::-1], span)[::-1]) / 2


def _moving_average(values: Floats, span: float) -> Floats:
    keep = math.exp(-1 / max(span, 1e-9))
    result, total, weight = np.empty_like(values), 0.0, 0.0
    for i, value in enumerate(values):
        if math.isfinite(value):
            total, weight = keep * total + value, keep * weight + 1
        result[i] = total / weight if weight else math.nan
    return result


def line_chart(
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
    log: bool = False,
    points: bool = False,
    apart: bool = False,
) -> str:
    """Lines over a common axis, with a legend above.

    Args:
        series: the lines; a faint one is drawn thin, behind the others, without dashes.
        x_label: words under the axis.
        y_label: words above the vertical axis.
        log: whether the vertical axis is logarithmic; then values <= 0 are left out.
        points: whether to mark each point.
        apart: whether the legend gets two lines of its own above everything, for long names.

    Returns:
        An `<svg>` element; an empty string if there is nothing to draw.
    """
    lines = [(s, *_finite(s, log)) for s in series]
    lines = [line for line in lines if len(line[1])]
    if not lines:
        return ""
    figure, axes = _frame(x_label, y_label)
    for s, x, y in lines:
        x, y = (x[:: -(-len(x) // _POINTS)], y[:: -(-len(y) // _POINTS)]) if s.faint else _thinned(x, y)
        dash = "-" if s.faint or len(lines) == 1 else _DASHES[s.colour % 4]
        look: dict[str, Any] = {"lw": 0.8, "alpha": 0.3, "zorder": 1} if s.faint else {"lw": 1.7}
        dots = "o" if points or len(x) == 1 else ""
        axes.plot(x, y, color=COLOURS[s.colour % 4], ls=dash, marker=dots, ms=4, label=_name(s), **look)
    # the legible lines set the range; a faint cloud of single steps may stick out
    _range(axes, np.concatenate([y for s, _, y in lines if not s.faint] or [lines[0][2]]), log)
    return _svg(figure, axes, len([s for s, *_ in lines if s.name]) > 1, y_label, apart)


def histogram_chart(series: Sequence[Series], *, x_label: str, y_label: str) -> str:
    """Outlined histograms over each other: ``x`` holds the middle of each bin, ``y`` its share (0 to 1).

    The vertical axis is logarithmic, because the bins at the ends, where pictures saturate, tower over the
    rest.
    """
    lines = [(s, *_finite(s, True)) for s in series]
    lines = [line for line in lines if len(line[1])]
    if not lines:
        return ""
    figure, axes = _frame(x_label, y_label)
    for s, x, y in lines:
        wide = (x[-1] - x[0]) / max(len(x) - 1, 1) or 1.0
        edges, colour = np.append(x - wide / 2, x[-1] + wide / 2), COLOURS[s.colour % 4]
        least = float(y.min()) / 10  # a bar must end somewhere on an axis without a zero
        axes.stairs(y, edges, baseline=least, fill=True, color=colour, alpha=0.13)
        axes.stairs(y, edges, baseline=least, color=colour, ls=_DASHES[s.colour % 4], lw=1.4, label=_name(s))
    _range(axes, np.concatenate([y for _, _, y in lines]), True)
    return _svg(figure, axes, len([s for s, *_ in lines if s.name]) > 1, y_label)


def _name(series: Series) -> str:
    return series.name.replace("$", r"\$") if series.name else "_"  # matplotlib: "_..." stays out of legends


def _frame(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    """An empty chart in the page's manner: no box, faint lines across, the axis named above."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES)
    axes = figure.add_axes((0.115, 0.155, 0.865, 0.735))
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(INK)
    axes.grid(axis="y", color=FAINT, lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, colors=INK)
    axes.set_xlabel(x_label, color=INK, parse_math=False)
    axes.set_title(y_label, loc="left", fontsize="medium", color=INK, parse_math=False)
    return figure, axes


def _range(axes: Axes, ys: Floats, log: bool) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    low, high = float(ys.min()), float(ys.max())
    written = FuncFormatter(lambda value, _: number(value))
    axes.xaxis.set_major_formatter(written)
    if log:
        margin = max((high / low) ** 0.06, 1.05)
        axes.set_yscale("log")
        axes.set_ylim(low / margin, high * margin)
        # over less than a factor of four, even steps serve better
        fine = high / low < 4
        axes.yaxis.set_major_locator(MaxNLocator(5) if fine else LogLocator(subs=(1, 3), numticks=8))
        axes.yaxis.set_minor_locator(NullLocator())
    elif 0 <= low < 0.3 * (high - low):  # a range that nearly touches zero starts there
        axes.set_ylim(0, 1.06 * high)
    axes.yaxis.set_major_formatter(written)


def _svg(figure: Figure, axes: Axes, legend: bool, title: str, apart: bool = False) -> str:
    """The drawing as one `<svg>` element that refers to nothing outside of it."""
    import matplotlib as mpl

    if legend:
        if apart:
            axes.set_position((0.115, 0.155, 0.865, 0.635))
        axes.legend(
            loc="lower left" if apart else "lower right",
            bbox_to_anchor=(0, 1.1) if apart else (1, 1),
            borderaxespad=0.2,
            ncols=2 if apart else 4,
            frameon=False,
            labelcolor=INK,
            handlelength=1.8,
        )
    buffer = io.StringIO()
    # names inside of the drawing depend on its title: one page holds several drawings
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": title}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the page has fonts for Chinese, whatever is here
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r' id="(?![mp][0-9a-f]{10}")[^"]*"', "", text)  # names that nothing refers to
    text = text.replace("xlink:href", "href")  # inside of HTML no namespaces are declared
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 system-ui, sans-serif", text)
    for colour, variable in PAGE.items():
        text = text.replace(colour, f"var(--{variable}, {colour})")
    size = " ".join(f"{side * _POINTS_AN_INCH:.6g}" for side in _INCHES)
    head = f'<svg viewBox="0 0 {size}" role="img"><title>{escape(title)}</title>'
    return re.sub(r"<svg\b[^>]*>", lambda _: head, text, count=1)


def _finite(s: Series, positive: bool) -> tuple[Floats, Floats]:
    x, y = np.asarray(s.x, dtype=np.float64), np.asarray(s.y, dtype=np.float64)
    size = min(len(x), len(y))
    x, y = x[:size], y[:size]
    good = (np.abs(x) < _LARGEST) & (np.abs(y) < _LARGEST)  # False for what is not a number, too
    if positive:
        good &= y > 1 / _LARGEST
    return x[good], y[good]


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """At most `_POINTS` points, each the mean of its neighbours."""
    if len(x) <= _POINTS:
        return x, y
    edges = np.linspace(0, len(x), _POINTS + 1).astype(int)[:-1]
    sizes = np.diff(np.append(edges, len(x)))
    return np.add.reduceat(x, edges) / sizes, np.add.reduceat(y, edges) / sizes
