"""The page that tells how a model came about and what it can do: one HTML file that needs nothing else.

`facts.Report` says what can be told; what is missing is left out. The page loads nothing from anywhere (a
content security policy in the file forbids it), runs no script, and treats every name from the data as
untrusted text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unfog.atomic import atomic_write
from unfog.errors import OutputError
from unfog.output import figures
from unfog.output.facts import Backward, Data, Forward, Losses, Metric, Neighbours, Report, Setup
from unfog.output.words import METRICS, duration, large, number, percent, tight, whole, words

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = [
    "Backward",
    "Data",
    "Forward",
    "Losses",
    "Metric",
    "Neighbours",
    "Report",
    "Setup",
    "template",
    "write_report",
]

_MANY = 30  # longer lists are cut


@dataclass(frozen=True)
class MetricRow:
    """One line of the table of metrics, in words."""

    name: str
    meaning: str
    value: str
    interval: str
    floor: str
    count: str


def write_report(path: str | Path, report: Report, *, lang: str = "en") -> Path:
    """Write the report as one HTML file.

    Args:
        path: where to.
        report: what to tell.
        lang: "en" or "zh".

    Returns:
        The path.

    Raises:
        OutputError: an unknown language, arrays that are no pictures, or the file cannot be written.
    """
    return atomic_write(path, render_report(report, lang=lang))


def render_report(report: Report, *, lang: str = "en") -> str:
    """The HTML text of the report."""
    return template("report.html").render(**_page(report, lang))


def template(name: str) -> Template:
    """A template of this room, strict about missing values and safe against markup in names."""
    # half of the time of importing this room
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _page(report: Report, lang: str) -> dict[str, Any]:
    """Everything that the template prints."""
    from markupsafe import Markup

    w = words(lang)
    _check(report)
    samples = report.samples if report.samples is not None and len(report.samples) else None
    brightness = figures.histogram(report.data, samples, w)
    classes = report.data.classes if report.data else ()
    neighbours = report.neighbours if report.neighbours and len(report.neighbours.samples) else None
    return {
        "w": w,
        "title": report.title,
        "warnings": list(report.warnings),
        "hero": samples is not None and figures.hero(samples, report.provenance),
        "sentences": _sentences(report.setup, lang),
        "settings": _flat(report.setup.settings) if report.setup else [],
        "data": report.data and _data_rows(report.data, lang),
        "data_intro": report.data and _data_intro(report.data, w),
        "skipped": report.data and _skipped(report.data, w),
        "examples": report.data and figures.example_sheet(report.data),
        "brightness": Markup(brightness),
        "forward": figures.forward_tiles(report.forward) if report.forward else [],
        "schedule": report.forward and report.forward.schedule,
        "backward": figures.backward_strips(report.backward) if report.backward else [],
        "guesses": bool(report.backward and report.backward.clean is not None),
        "film": report.backward and report.backward.film and figures.film_uri(report.backward.film),
        "rows": []
        if samples is None
        else figures.class_rows(samples, report.sample_labels, classes, w["no_class"], report.provenance),
        "charts": [Markup(chart) for chart in figures.loss_charts(report.losses, w)] if report.losses else [],
        "metrics": [_metric(metric, lang) for metric in report.metrics],
        "pairs": figures.neighbour_tiles(neighbours) if neighbours else [],
        "rule": neighbours.rule if neighbours else "",
        "copies": _copies(neighbours, w) if neighbours else "",
        "made": _made(report, w),
        "command": report.command,
    }


def _check(report: Report) -> None:
    """Say which field is wrong before anything is drawn."""
    arrays: dict[str, tuple[Any, tuple[int, ...]]] = {"samples": (report.samples, (4,))}
    if report.data is not None:
        arrays["data.examples"] = (report.data.examples, (4,))
    if report.forward is not None:
        arrays["forward.pictures"] = (report.forward.pictures, (4,))
    if report.backward is not None:
        arrays["backward.noisy"] = (report.backward.noisy, (4, 5))
        arrays["backward.clean"] = (report.backward.clean, (4, 5))
    if report.neighbours is not None:
        arrays["neighbours.samples"] = (report.neighbours.samples, (4,))
        arrays["neighbours.nearest"] = (report.neighbours.nearest, (4,))
    for name, (array, axes) in arrays.items():
        if array is not None and (array.dtype != np.uint8 or array.ndim not in axes):
            raise OutputError(
                f"The report's {name} must be uint8 (..., H, W, C), not {array.dtype} {array.shape}."
            )


def _sentences(setup: Setup | None, lang: str) -> list[str]:
    """How the model was made, in words, from whatever is known."""
    if setup is None:
        return []
    w = words(lang)
    first = w["network"].format(n=large(setup.weights, lang)) if setup.weights else w["network_unknown"]
    first += w["network_kind"].format(kind=setup.network) if setup.network else ""
    first += w["learned"].format(n=whole(setup.pictures)) if setup.pictures else w["learned_unknown"]
    first += w["time"].format(time=duration(setup.seconds, lang)) if setup.seconds else ""
    first += w["device"].format(device=setup.device) if setup.device else ""
    known = setup.weights or setup.pictures or setup.seconds or setup.device
    found = [first + w["stop"]] if known else []
    if setup.steps and setup.batch:
        epochs = setup.pictures and setup.steps * setup.batch / setup.pictures
        key = "steps" if epochs else "steps_only"
        seen = number(float(f"{epochs:.2g}")) if epochs and epochs < 1000 else whole(round(epochs or 0))
        found.append(w[key].format(steps=whole(setup.steps), batch=whole(setup.batch), epochs=seen))
    if setup.classes:
        found.append(w["conditional"].format(n=setup.classes))
    if setup.sampler and setup.sampler_steps:
        guided = setup.guidance is not None and setup.guidance != 1
        guidance = w["guided"].format(guidance=number(setup.guidance or 0)) if guided else ""
        time = setup.sampling_seconds
        each = w["per_picture"].format(time=duration(time, lang)) if time else ""
        found.append(
            w["drawn"].format(sampler=setup.sampler, steps=setup.sampler_steps, guidance=guidance, time=each)
        )
    return [tight(sentence) for sentence in found]


def _data_intro(data: Data, w: dict[str, str]) -> str | None:
    if data.count is None or data.size is None or data.channels is None:
        return None
    colour = w["grey"] if data.channels == 1 else w["colour"]
    return w["data_intro"].format(
        count=whole(data.count), high=data.size[0], wide=data.size[1], colour=colour
    )


def _data_rows(data: Data, lang: str) -> list[tuple[str, str]]:
    """The table of facts about the data: (name, value)."""
    w = words(lang)
    rows: list[tuple[str, str | None]] = [
        (w["source"], data.source),
        (w["licence"], data.licence),
    ]
    if data.train is not None and data.held_out is not None:
        rows.append((w["split"], f"{whole(data.train)} / {whole(data.held_out)}"))
    if data.classes:
        counts = list(data.class_counts) + [None] * (len(data.classes) - len(data.class_counts))
        named = [
            name if count is None else f"{name}:\u00a0{whole(count)}"
            for name, count in zip(data.classes, counts, strict=False)
        ]
        if len(named) > _MANY:
            named = [*named[:_MANY], w["more"].format(n=len(named) - _MANY)]
        if data.unlabelled:
            named.append(w["unlabelled"].format(n=whole(data.unlabelled)))
        rows.append((w["class_counts"] if data.class_counts else w["classes"], ", ".join(named)))
    if len(data.mean) and len(data.std):
        name = w["mean_std"] if len(data.mean) == 1 else w["mean_std_rgb"]
        rows.append((name, ", ".join(f"{m:.1f} ± {s:.1f}" for m, s in zip(data.mean, data.std, strict=True))))
    if data.low is not None and data.high is not None:
        rows.append((w["range"], f"{data.low} – {data.high}"))
    if data.black is not None and data.white is not None:
        shares = w["saturated_value"].format(black=percent(data.black), white=percent(data.white))
        rows.append((w["saturated"], shares))
    if data.measured is not None and data.measured != data.count:
        rows.append((w["measured"], w["pictures_n"].format(n=whole(data.measured))))
    rows.append((w["digest"], data.digest))
    return [(name, value) for name, value in rows if value]


def _skipped(data: Data, w: dict[str, str]) -> dict[str, Any] | None:
    if not data.skipped:
        return None
    rest = len(data.skipped) - _MANY
    return {
        "title": w["skipped"].format(n=whole(len(data.skipped))),
        "items": list(data.skipped)[:_MANY],
        "rest": w["more"].format(n=whole(rest)) if rest > 0 else "",
    }


def _metric(metric: Metric, lang: str) -> MetricRow:
    w = words(lang)
    unknown = (metric.name, "", "", False)
    name, meaning, better, share = METRICS[lang].get(metric.name, unknown)
    share = share if metric.percent is None else metric.percent
    better = metric.better or better

    def shown(value: float | None) -> str:
        return "" if value is None else percent(value) if share else number(float(f"{value:.3g}"))

    interval = ""
    if metric.low is not None and metric.high is not None:
        interval = f"{shown(metric.low)} – {shown(metric.high)}"
    # a given meaning is in English: other languages prefer the known one
    parts = [metric.meaning or meaning if lang == "en" else meaning or metric.meaning]
    parts += (
        [w[better][:1].upper() + w[better][1:] + w["stop"]] if better in ("lower", "higher", "near") else []
    )
    parts += [w["space"].format(space=metric.space)] if metric.space else []
    text = w["join"].join(part for part in parts if part)
    count = "" if metric.count is None else whole(metric.count)
    return MetricRow(name, text, shown(metric.value), interval, shown(metric.floor), count)


def _copies(neighbours: Neighbours, w: dict[str, str]) -> str:
    if neighbours.share is None:
        return ""
    key = "memorised_share" if neighbours.count else "memorised_share_plain"
    text = w[key].format(share=percent(neighbours.share), n=whole(neighbours.count or 0))
    if neighbours.floor is not None:
        text += w["memorised_floor"].format(share=percent(neighbours.floor))
    return text + w["stop"]


def _made(report: Report, w: dict[str, str]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    if report.provenance is not None:
        p = report.provenance
        rows = [
            (w["software"], f"{p.software} {p.version}"),
            (w["recipe"], p.recipe),
            (w["seed"], str(p.seed)),
        ]
        rows += [(w["model"], p.model)] if p.model else []
    return rows + [(str(name), str(value)) for name, value in report.made_by.items()]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as lines `a.b.c`, value."""
    rows = []
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += _flat(value, f"{name}.")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            rows.append((name, ", ".join(str(item) for item in value)))
        else:
            rows.append((name, str(value)))
    return rows


def _clean(value: Any) -> Any:
    """Names of files may hold control characters and halves of surrogate pairs, which no page can."""
    if type(value) is str:
        return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", value)
    return value
