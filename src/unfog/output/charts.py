"""Small charts as SVG text for HTML: no plotting library, crisp on a phone, in the colours of their page.

Colours are CSS variables with a fallback, so the same text serves light and dark pages. The four are from
Okabe and Ito's palette, which people with colour-blindness tell apart; lines differ in dashes as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

COLOURS = ("var(--blue, #0072b2)", "var(--orange, #d55e00)", "var(--green, #009e73)", "var(--pink, #cc79a7)")
INK = "var(--ink, #333)"
FAINT = "var(--line, #ddd)"
_DASHES = ("", "6 4", "2 3", "8 3 2 3")
_WIDTH, _HEIGHT = 440, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 30, 42
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
    series: Sequence[Series], *, x_label: str, y_label: str, log: bool = False, points: bool = False
) -> str:
    """Lines over a common axis, with a legend above.

    Args:
        series: the lines; a faint one is drawn thin, behind the others, without dashes.
        x_label: words under the axis.
        y_label: words above the vertical axis.
        log: whether the vertical axis is logarithmic; then values <= 0 are left out.
        points: whether to mark each point.

    Returns:
        An `<svg>` element; an empty string if there is nothing to draw.
    """
    lines = [(s, *_finite(s, log)) for s in series]
    lines = [line for line in lines if len(line[1])]
    if not lines:
        return ""
    xs, ys = np.concatenate([x for _, x, _ in lines]), np.concatenate([y for _, _, y in lines])
    # the legible lines set the range; a faint cloud of single steps may stick out
    main = [y for s, _, y in lines if not s.faint] or [ys]
    ys = np.concatenate(main)
    frame = _Frame(xs, ys, log)
    parts = frame.axes(x_label, y_label)
    for s, x, y in sorted(lines, key=lambda line: not line[0].faint):
        every = -(-len(x) // _POINTS)
        x, y = (x[::every], y[::every]) if s.faint else _thinned(x, y)
        parts.append(_path(s, frame, x, y, points, alone=len(lines) == 1))
    return _svg(parts + _legend([s for s, _, _ in lines]), y_label)


def histogram_chart(series: Sequence[Series], *, x_label: str, y_label: str) -> str:
    """Outlined histograms over each other: ``x`` holds the middle of each bin, ``y`` its share (0 to 1).

    The vertical axis is logarithmic, because the bins at the ends, where pictures saturate, tower over the
    rest.
    """
    lines = [(s, *_finite(s, True)) for s in series]
    lines = [line for line in lines if len(line[1])]
    if not lines:
        return ""
    frame = _Frame(np.concatenate([x for _, x, _ in lines]), np.concatenate([y for _, _, y in lines]), True)
    parts = frame.axes(x_label, y_label)
    for s, x, y in lines:
        wide = (x[-1] - x[0]) / max(len(x) - 1, 1) or 1.0
        edges = np.append(x - wide / 2, x[-1] + wide / 2)
        base = frame.y(frame.low)
        steps = "".join(
            f"L{frame.x(a):.1f} {frame.y(v):.1f}H{frame.x(b):.1f}"
            for a, b, v in zip(edges, edges[1:], y, strict=False)
        )
        path = f"M{frame.x(edges[0]):.1f} {base:.1f}{steps}V{base:.1f}"
        colour = COLOURS[s.colour % 4]
        parts.append(
            f'<path d="{path}" style="stroke:{colour};fill:{colour};fill-opacity:.13;stroke-width:1.5;'
            f'stroke-dasharray:{_DASHES[s.colour % 4] or "none"}"/>'
        )
    return _svg(parts + _legend([s for s, _, _ in lines]), y_label)


class _Frame:
    """Where numbers lie on the drawing, and the lines and words around it."""

    def __init__(self, xs: Floats, ys: Floats, log: bool) -> None:
        self.log = log
        self.left, self.right = _apart(float(xs.min()), float(xs.max()))
        low, high = float(ys.min()), float(ys.max())
        if log:
            margin = max((high / low) ** 0.06, 1.05)
            self.low, self.high = low / margin, high * margin
        else:
            low, high = _apart(low, high)
            margin = (high - low) * 0.06
            # a range that nearly touches zero starts there
            self.low = 0.0 if 0 <= low < 0.3 * (high - low) or low == 0 else low - margin
            self.high = high + margin

    def x(self, value: float) -> float:
        share = (value - self.left) / (self.right - self.left)
        return _LEFT + min(max(share, 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def axes(self, x_label: str, y_label: str) -> list[str]:
        parts = []
        for value in ticks(self.low, self.high, self.log):
            y = self.y(value)
            parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" style="stroke:{FAINT}"/>')
            parts.append(_text(_LEFT - 7, y + 4, number(value), "end"))
        for value in ticks(self.left, self.right, False):
            parts.append(_text(self.x(value), _HEIGHT - _BOTTOM + 18, number(value), "middle"))
        base = _HEIGHT - _BOTTOM
        parts.append(f'<path d="M{_LEFT} {base}H{_WIDTH - _RIGHT}" style="stroke:{INK};stroke-opacity:.6"/>')
        parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, x_label, "middle"))
        parts.append(_text(4, 14, y_label, "start"))
        return parts


def ticks(low: float, high: float, log: bool) -> list[float]:
    """Round numbers between ``low`` and ``high``, three to seven of them where that is possible."""
    if log:
        tens = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
            found = [d * 10.0**ten for ten in tens for d in digits if low <= d * 10.0**ten <= high]
            if len(found) >= 3:
                return found[:: math.ceil(len(found) / 7)]
        # less than a factor of about 1.5: even steps serve better
    rough = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * d for d in (1, 2, 2.5, 5, 10) if size * d >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def number(value: float) -> str:
    """A number as people write it: 12k, 0.003, 2.5, 1e-05."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:.3g}M"
    if size >= 1e4:
        return f"{value / 1e3:.3g}k"
    if size < 1e-4:
        return f"{value:.0e}".replace("e-0", "e-")
    return f"{value:.4g}"


def _finite(s: Series, positive: bool) -> tuple[Floats, Floats]:
    x, y = np.asarray(s.x, dtype=np.float64), np.asarray(s.y, dtype=np.float64)
    size = min(len(x), len(y))
    x, y = x[:size], y[:size]
    good = (np.abs(x) < _LARGEST) & (np.abs(y) < _LARGEST)  # False for what is not a number, too
    if positive:
        good &= y > 1 / _LARGEST
    return x[good], y[good]


def _apart(low: float, high: float) -> tuple[float, float]:
    """The two, moved apart if they are (nearly) the same: an axis needs an extent."""
    extent = max(abs(low), abs(high))
    if high - low > 1e-9 * extent and high - low > 1 / _LARGEST:
        return low, high
    return low - (0.1 * extent or 0.5), high + (0.1 * extent or 0.5)


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """At most `_POINTS` points, each the mean of its neighbours."""
    if len(x) <= _POINTS:
        return x, y
    edges = np.linspace(0, len(x), _POINTS + 1).astype(int)[:-1]
    sizes = np.diff(np.append(edges, len(x)))
    return np.add.reduceat(x, edges) / sizes, np.add.reduceat(y, edges) / sizes


def _path(s: Series, frame: _Frame, x: Floats, y: Floats, points: bool, alone: bool) -> str:
    places = [(frame.x(a), frame.y(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    colour = COLOURS[s.colour % 4]
    path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
    look = "stroke-width:1;stroke-opacity:.28" if s.faint else "stroke-width:2"
    dash = "none" if s.faint or alone else _DASHES[s.colour % 4] or "none"
    style = f"fill:none;stroke:{colour};{look};stroke-dasharray:{dash};stroke-linejoin:round"
    drawn = f'<path d="{path}" style="{style}"/>'
    if points or len(places) == 1:
        drawn += "".join(
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" style="fill:{colour}"/>' for a, b in places
        )
    return drawn


def _legend(series: Sequence[Series]) -> list[str]:
    """Names at the top right, as far as they differ from what the axis already says."""
    named = [s for s in series if s.name]
    if len(named) < 2:
        return []
    parts, right = [], float(_WIDTH - _RIGHT)
    for s in reversed(named):
        right -= _length(s.name)
        parts.append(_text(right, 14, s.name, "start"))
        dash = "none" if s.faint else _DASHES[s.colour % 4] or "none"
        look = "stroke-opacity:.4;stroke-width:2" if s.faint else "stroke-width:2.5"
        style = f"stroke:{COLOURS[s.colour % 4]};stroke-dasharray:{dash};{look}"
        parts.append(f'<path d="M{right - 24:.1f} 10H{right - 5:.1f}" style="{style}"/>')
        right -= 38
    return parts


def _length(text: str) -> float:
    """About how wide a text is at 12 pixels; Chinese characters are square."""
    return sum(12.0 if ord(c) > 0x2E80 else 6.4 for c in text)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(parts: Sequence[str], title: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" style="font:12px system-ui,sans-serif;fill:{INK}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
