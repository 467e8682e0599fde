"""Pictures and charts of the report, ready to be put into the page: data URIs and SVG text, nothing to fetch.

Small pictures stay at their own size and are enlarged by the browser without blur, which keeps the page
light; words stand beside them as text, so that they can be read on a phone, translated and copied.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from unfog.output.charts import Series, histogram_chart, line_chart, smoothed
from unfog.output.facts import Backward, Data, Forward, Labels, Losses, Neighbours
from unfog.output.provenance import Picture, Provenance, encode_png, mark_xmp, to_image
from unfog.output.sheet import contact_sheet, thumbnail
from unfog.output.words import number

TILE = 128  # pixels, longest side of a single picture on the page
SHEET_TILE = 76  # of a picture on a sheet: twelve fill 960
_HEAVY_TILE, _HEAVY_SHEET = 6_000, 120_000  # bytes from which lossy coding pays
MAX_FILM = 1_500_000


@dataclass(frozen=True)
class Tile:
    """One or two pictures, one above the other, with a caption of short lines."""

    pictures: tuple[str, ...]
    caption: tuple[str, ...] = ()
    pixelated: bool = True


@dataclass(frozen=True)
class Row:
    """A named row of pictures on one sheet."""

    name: str
    sheet: str


def picture_uri(array: Picture, provenance: Provenance | None = None, heavy: int = _HEAVY_SHEET) -> str:
    """A picture as a data URI: PNG, or good WebP if that would be heavier than ``heavy`` bytes."""
    data, kind = encode_png(array, provenance), "png"
    if len(data) > heavy:
        buffer = io.BytesIO()
        xmp = {} if provenance is None else {"xmp": mark_xmp(provenance, array)}
        to_image(array).save(buffer, "WEBP", quality=85, method=4, **xmp)
        if len(buffer.getvalue()) < len(data):
            data, kind = buffer.getvalue(), "webp"
    return data_uri(data, kind)


def data_uri(data: bytes, kind: str) -> str:
    """The bytes of a picture as a data URI."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def film_uri(data: bytes) -> str | None:
    """An animation as a data URI; None if it is none, or heavier than 1.5 MB."""
    starts = {b"RIFF": "webp", b"\x89PNG": "png", b"GIF8": "gif"}
    kind = next((kind for start, kind in starts.items() if data.startswith(start)), None)
    return data_uri(data, kind) if kind and len(data) <= MAX_FILM else None


def hero(samples: Picture, provenance: Provenance | None = None) -> str:
    """A wide sheet of samples for the head of the page, mixed so that all classes have a chance."""
    columns = 12 if len(samples) >= 24 else max(1, min(len(samples), 6))
    count = min(len(samples) // columns, 4) * columns or len(samples)
    chosen = np.random.default_rng(0).permutation(len(samples))[:count]
    sheet = contact_sheet(
        shrunk(samples[chosen]), columns=columns, max_width=960, tile=SHEET_TILE, clear=True
    )
    return picture_uri(sheet, _as_grid(provenance))


def class_rows(
    samples: Picture,
    labels: Labels | None,
    classes: Sequence[str],
    no_class: str,
    provenance: Provenance | None = None,
    *,
    across: int = 12,
    limit: int = 24,
) -> list[Row]:
    """The first samples of each class as a named row; without labels, one unnamed sheet."""
    grid = _as_grid(provenance)
    if labels is None:
        few = shrunk(samples[: across * 8])
        sheet = contact_sheet(few, columns=across, max_width=960, tile=SHEET_TILE, clear=True)
        return [Row("", picture_uri(sheet, grid))]
    found = np.asarray(labels)
    rows = []
    for label in sorted(set(found.tolist()), key=lambda label: (label < 0, label))[:limit]:
        few = samples[np.flatnonzero(found == label)[:across]]
        sheet = contact_sheet(shrunk(few), columns=across, max_width=960, tile=SHEET_TILE, clear=True)
        name = classes[label] if 0 <= label < len(classes) else no_class if label < 0 else str(label)
        rows.append(Row(name, picture_uri(sheet, grid)))
    return rows


def forward_tiles(forward: Forward, limit: int = 10) -> list[Tile]:
    """A picture at growing noise, captioned with time, alpha, sigma and signal-to-noise ratio."""
    tiles = []
    for i in _evenly(len(forward.pictures), limit):
        caption = []
        if i < len(forward.t):
            caption.append(f"t = {_two(float(forward.t[i]))}")
        if i < len(forward.alpha) and i < len(forward.sigma):
            alpha, sigma = float(forward.alpha[i]), float(forward.sigma[i])
            caption += [f"α {_two(alpha)}  σ {_two(sigma)}", f"SNR {decibels(alpha, sigma)}"]
        tiles.append(_tile([forward.pictures[i]], caption))
    return tiles


def backward_strips(backward: Backward, limit: int = 10, rows: int = 3) -> list[list[Tile]]:
    """One strip per picture: at each step the noisy picture and, below, the clean guess."""
    noisy = backward.noisy if backward.noisy.ndim == 5 else backward.noisy[None]
    clean = None if backward.clean is None else backward.clean.reshape(noisy.shape)
    strips = []
    for r in range(min(len(noisy), rows)):
        strip = []
        for i in _evenly(noisy.shape[1], limit):
            shown = [noisy[r, i]] if clean is None else [noisy[r, i], clean[r, i]]
            caption = [f"t = {_two(float(backward.t[i]))}"] if i < len(backward.t) else []
            strip.append(_tile(shown, caption))
        strips.append(strip)
    return strips


def neighbour_tiles(neighbours: Neighbours, limit: int = 16) -> list[Tile]:
    """Pairs: a sample, below it the nearest training picture, and the distance."""
    tiles = []
    for i in range(min(len(neighbours.samples), len(neighbours.nearest), limit)):
        caption = (
            [number(float(f"{float(neighbours.distances[i]):.3g}"))] if i < len(neighbours.distances) else []
        )
        tiles.append(_tile([neighbours.samples[i], neighbours.nearest[i]], caption))
    return tiles


def example_sheet(data: Data) -> str | None:
    """A sheet of real pictures."""
    if data.examples is None or not len(data.examples):
        return None
    few = shrunk(data.examples[:60], 58)
    full = next((columns for columns in range(16, 9, -1) if len(few) % columns == 0), 16)
    sheet = contact_sheet(few, columns=full, max_width=960, tile=58, clear=True)
    return picture_uri(sheet)


def histogram(data: Data | None, samples: Picture | None, w: dict[str, str], bins: int = 32) -> str:
    """Brightness of data and samples, as SVG; first and last bin hold just the values 0 and 255."""
    series = []
    if data is not None and data.histogram is not None and np.sum(data.histogram) > 0:
        series.append(_histogram_series(w["data_series"], data.histogram, bins, 0))
    if samples is not None and samples.size:
        counts = np.bincount(samples[:2000].reshape(-1), minlength=256)
        series.append(_histogram_series(w["samples_series"], counts, bins, 1))
    return histogram_chart(series, x_label=w["value"], y_label=w["share"])


def loss_charts(losses: Losses, w: dict[str, str]) -> list[str]:
    """SVG of loss over steps, loss over noise level and learning rate, as far as known."""
    series = []
    if losses.train is not None:
        x, y = (np.asarray(values, dtype=np.float64) for values in losses.train)
        span = max(len(y) / 100, 1)
        series = [Series(w["train_raw"], x, y, faint=True), Series(w["train"], x, smoothed(y, span))]
        series = series if len(y) > 10 else series[1:]
    if losses.validation is not None:
        series.append(Series(w["validation"], *losses.validation, colour=1))
    charts = [line_chart(series, x_label=w["step"], y_label=w["loss"], log=True)]
    if losses.by_level is not None:
        level = Series("", *losses.by_level, colour=2)
        charts.append(
            line_chart([level], x_label=w["time_axis"], y_label=w["by_level"], log=True, points=True)
        )
    if losses.learning_rate is not None:
        rate = Series("", *losses.learning_rate, colour=3)
        charts.append(line_chart([rate], x_label=w["step"], y_label=w["learning_rate"]))
    return [chart for chart in charts if chart]


def decibels(alpha: float, sigma: float) -> str:
    """Signal-to-noise ratio of pictures of variance 1, 20 log10(alpha / sigma)."""
    # rounding leaves schedules with an alpha of 1e-17 at their end
    if sigma <= 1e-8 * alpha or alpha <= 1e-8 * sigma:
        return "−∞" if alpha < sigma else "∞"
    value = round(20 * float(np.log10(alpha / sigma)))
    return f"{value:+d} dB".replace("-", "−") if value else "0 dB"


def _histogram_series(name: str, counts: ArrayLike, bins: int, colour: int) -> Series:
    shares = np.asarray(counts, dtype=np.float64)
    shares = shares / shares.sum()
    inner = np.array_split(shares[1:255], bins - 2)
    ends = np.array([shares[0], *(part.sum() for part in inner), shares[255]])
    # bins differ in width by one value at most, except the ends: they are drawn as wide as the others to be
    # seen
    return Series(name, (np.arange(bins) + 0.5) * 256 / bins, ends, colour=colour)


def _tile(pictures: Sequence[Picture], caption: Sequence[str]) -> Tile:
    small = max(pictures[0].shape[:2]) <= TILE
    uris = tuple(picture_uri(thumbnail(picture, TILE), heavy=_HEAVY_TILE) for picture in pictures)
    return Tile(uris, tuple(caption), pixelated=small)


def shrunk(pictures: Picture, longest: int = SHEET_TILE) -> Picture:
    """Pictures (N, H, W, C) with their longest side at most so many pixels; smaller ones stay."""
    return np.stack([thumbnail(picture, longest) for picture in pictures])


def _as_grid(provenance: Provenance | None) -> Provenance | None:
    return None if provenance is None else replace(provenance, kind="grid")


def _evenly(count: int, limit: int) -> list[int]:
    return [int(i) for i in np.unique(np.linspace(0, count - 1, min(count, limit)).round())]


def _two(value: float) -> str:
    """Two digits: 0.17, 0.0044, 80."""
    return number(float(f"{value:.2g}")) if abs(value) > 1e-4 else "0"
