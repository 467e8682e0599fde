"""The page of ``unfog explain``: the process made visible in six parts, in one HTML file.

Like the report, it needs nothing else and loads nothing from anywhere (a content security policy in the file
forbids it), runs no script, and treats every name as untrusted text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from unfog.atomic import atomic_write
from unfog.door import __version__
from unfog.output import figures
from unfog.output.charts import Series, line_chart
from unfog.output.explain_words import WORDS
from unfog.output.explained import (
    Attempt,
    Comparison,
    Explanation,
    LevelLosses,
    Reading,
    Readings,
    Toy,
    Wandering,
)
from unfog.output.figures import Tile, picture_uri
from unfog.output.planes import arrow_field, path_plane
from unfog.output.provenance import Picture
from unfog.output.report import template
from unfog.output.sheet import contact_sheet
from unfog.output.words import large, number, percent, tight, whole, words

_SHEET = 56  # pixels of a picture in the table of samplers
_REACH = (2.7, 3.1)  # of the planes of arrows and of paths
_LEAST = 1e-4  # errors below this are as good as none
_COLOURS = {"network": 0, "exact": 0, "unseen": 1, "memory": 1, "pixelwise": 2, "constant": 3}


def write_explanation(path: str | Path, explanation: Explanation, *, lang: str = "en") -> Path:
    """Write the page as one HTML file.

    Args:
        path: where to.
        explanation: what to show.
        lang: "en" or "zh".

    Returns:
        The path.

    Raises:
        OutputError: an unknown language, or the file cannot be written.
    """
    return atomic_write(path, render_explanation(explanation, lang=lang))


def render_explanation(explanation: Explanation, *, lang: str = "en") -> str:
    """The HTML text of the page."""
    words(lang)
    return template("explain.html").render(**_page(explanation, lang))


def _page(e: Explanation, lang: str) -> dict[str, Any]:
    """Everything that the template prints."""
    from markupsafe import Markup

    w = WORDS[lang]
    names = {
        "title": e.title,
        "schedule": e.schedule,
        "target": e.target,
        "source": e.source,
        "known": whole(e.known),
    }
    names["weights"] = large(e.weights, lang)
    kind = "model" if e.is_model else "schedule"
    return {
        "w": w,
        "title": w[f"title_{kind}"].format(**names),
        "intro": [
            tight(w[key].format(**names))
            for key in (f"who_{kind}", f"origin_{e.origin}", *(["other_data"] if e.other_data else []))
        ],
        "generated": w["generated"] if e.is_model else "",
        "forward": figures.forward_tiles(e.forward),
        "curves": [Markup(chart) for chart in _curves(e, w)],
        **_four(e.readings, w),
        "backward": figures.backward_strips(e.backward),
        "backward_how": _backward_how(e, w),
        "toy": _toy(e.toy, w),
        "losses": Markup(_losses(e.losses, w)),
        "losses_text": _losses_text(e, w),
        "samplers_text": w["samplers_text"].format(
            reference=e.comparison.reference_name, steps=e.comparison.reference_steps
        ),
        "samplers_why": [w["samplers_random"], *([] if e.is_model else [w["samplers_memory"]])],
        "samplers": _samplers(e, w),
        "reference_how": w["reference_how"].format(
            reference=e.comparison.reference_name, steps=e.comparison.reference_steps
        ),
        "reference": picture_uri(_sheet(e.comparison.reference), e.provenance),
        "made": [w["made_how"].format(version=__version__), *(f"{k}: {v}" for k, v in e.made_by.items())],
        "command": e.command,
    }


def _backward_how(e: Explanation, w: dict[str, str]) -> str:
    guidance = w["guided"].format(guidance=number(e.guidance)) if e.guidance != 1 else ""
    text = w["backward_how"].format(sampler=e.sampler[0], steps=e.sampler[1], guidance=guidance)
    return text + (w["join"] + w["backward_asked"].format(labels=w["and"].join(e.asked)) if e.asked else "")


def _four(readings: Readings, w: dict[str, str]) -> dict[str, Any]:
    """The second part: cards, ladder, paths, and the table of one estimate in all words."""
    from markupsafe import Markup

    return {
        "readings_text": w["readings_text"].format(decibels=_tenth(readings.decibels)),
        "readings": [_reading(readings, reading, w) for reading in readings.rows],
        "ladder": [
            Tile((_uri(picture),), (f"σ = {_three(rung)}",))
            for picture, rung in zip(readings.ladder, readings.rungs, strict=True)
        ],
        "paths_text": _paths_text(readings, w),
        "paths": Markup(_paths(readings.wander, w)),
        "estimate_text": w["estimate_text"].format(
            recovered=_three(max(row.recovered for row in readings.rows))
        ),
        "sizes": [
            (
                w[row.name].split(":")[0].split("：")[0],
                row.asked,
                {k: _three(v) for k, v in row.sizes.items()},
            )
            for row in readings.rows
        ],
        "quantities": [Tile((_uri(p),), (w[name],)) for name, p in readings.quantities.items()],
    }


def _curves(e: Explanation, w: dict[str, str]) -> list[str]:
    """alpha and sigma, and the clock, over time."""
    c = e.curves
    wide = float(c.sigma.max()) > 2  # sigma in the tens would flatten everything else
    scales = [Series("α", c.t, c.alpha), Series("σ", c.t, c.sigma, colour=1)]
    inner = np.abs(c.log_ratio) < 8
    clock = Series("", c.t[inner], c.log_ratio[inner], colour=2)
    return [
        line_chart(scales, x_label=w["time"], y_label=w["scales"], log=wide),
        line_chart([clock], x_label=w["time"], y_label=w["clock"]),
    ]


def _reading(readings: Readings, row: Reading, w: dict[str, str]) -> dict[str, Any]:
    """One of the four cards."""
    text = w[f"{row.name}_text"].format(
        steps=whole(readings.steps),
        step=whole(readings.step),
        first=number(readings.betas[0]),
        last=number(readings.betas[1]),
        std=_three(readings.chain_std),
        drift=_three(readings.wander.drift),
        diffusion=_three(readings.wander.diffusion),
    )
    first = row is readings.rows[0]
    return {
        "name": row.name,
        "title": w[row.name],
        "text": text,
        "pictures": [(_uri(row.as_is), w["as_is"]), (_uri(row.scaled), w["scaled"])],
        "scales": f"t = {_three(row.t)}, α = {_three(row.alpha)}, σ = {_three(row.sigma)}",
        "difference": w["same"] if first else _differs(row.difference, w),
    }


def _differs(value: float, w: dict[str, str]) -> str:
    return w["differs"].format(value=_three(value)) if value else w["equal"]


def _paths_text(readings: Readings, w: dict[str, str]) -> str:
    t, wander = next(row.t for row in readings.rows if row.name == "sde"), readings.wander
    return w["paths"].format(
        moves=whole(len(wander.t) - 1),
        walkers=whole(wander.walkers),
        t=_three(t),
        mean=_three(wander.walked[0]),
        std=_three(wander.walked[1]),
        true_mean=_three(wander.formula[0]),
        true_std=_three(wander.formula[1]),
    )


def _paths(wander: Wandering, w: dict[str, str]) -> str:
    t, (mean, low, high) = wander.t, wander.band
    others = [Series("", t, path, faint=True) for path in wander.paths[1:]]
    lines = [
        Series(w["path"], t, wander.paths[0]),
        Series(w["path_mean"], t, mean, colour=1),
        Series(w["path_band"], t, low, colour=2),
        Series("", t, high, colour=2),
    ]
    return line_chart([*others, *lines], x_label=w["time"], y_label=w["pixel"])


def _toy(toy: Toy, w: dict[str, str]) -> dict[str, Any]:
    from markupsafe import Markup

    fields, paths = [], []
    for each in toy.fields:
        level = _three(each.level)
        drawing = arrow_field(
            each.points, each.places, each.arrows, reach=_REACH[0], title=w["field"].format(level=level)
        )
        fields.append((Markup(drawing), w["noise_level"].format(level=level)))
    for key, lines, steps in zip(("toy_flow", "toy_wander"), (toy.flow, toy.wander), toy.steps, strict=True):
        title = w[key].format(steps=steps)
        paths.append((Markup(path_plane(lines, toy.data, reach=_REACH[1], title=title, width=0.9)), title))
    ends = {f"share_{name}": percent(share) for name, share in toy.upper.items()}
    return {
        "fields": fields,
        "paths": paths,
        "paths_text": w["toy_paths"],
        "ends": w["toy_ends"].format(walks=whole(toy.walks), **ends),
    }


def _losses(losses: LevelLosses, w: dict[str, str]) -> str:
    lines = [
        Series(
            w[f"line_{name}"],
            losses.decibels,
            np.where(values > _LEAST, values, np.nan),
            colour=_COLOURS[name],
        )
        for name, values in losses.lines.items()
    ]
    return line_chart(lines, x_label=w["decibels"], y_label=w["error"], log=True, points=True, apart=True)


def _losses_text(e: Explanation, w: dict[str, str]) -> list[str]:
    from markupsafe import Markup, escape

    known = whole(e.losses.known)
    option = Markup("<code>--data</code>")  # which no line may break
    texts = [w["losses_text"].format(count=whole(e.losses.count)) + w["join"] + w["losses_constant"]]
    if not e.is_model:
        return [*texts, w["losses_exact"].format(known=known)]
    return [
        *texts,
        w["losses_memory"].format(known=known)
        if e.losses.known
        else escape(w["losses_drawn"]).format(option=option),
    ]


def _samplers(e: Explanation, w: dict[str, str]) -> list[dict[str, Any]]:
    """The rows of the table of samplers."""
    return [
        {
            "name": row.name,
            "notes": [
                w["order"].format(n=row.order) if row.order else w["adaptive"],
                *([w["random"]] if row.stochastic else []),
                *[w["same_as"].format(name=name) for name in _twins(e.comparison, i)],
            ],
            "attempts": [_attempt(each, e, w) for each in row.attempts],
        }
        for i, row in enumerate(e.comparison.rows)
    ]


def _attempt(attempt: Attempt, e: Explanation, w: dict[str, str]) -> dict[str, Any]:
    steps = w["steps_n"].format(n=attempt.steps)
    if attempt.pictures is None:
        return {"sheet": "", "lines": [steps, w["refused"]], "steps": steps}
    return {
        "sheet": picture_uri(_sheet(attempt.pictures), e.provenance),
        "steps": steps,
        "lines": [
            steps + w["comma"] + w["calls"].format(n=attempt.calls),
            w["distance"].format(value=_apart(attempt.distance)),
            w["distance_plane"].format(value=_apart(attempt.plane)),
        ],
    }


def _twins(comparison: Comparison, i: int) -> list[str]:
    """The first sampler above that draws the same pictures with the same error, if there is one."""
    mine = comparison.rows[i].attempts
    for row in comparison.rows[:i]:
        pairs = list(zip(mine, row.attempts, strict=True))
        if all(_equal(a.pictures, b.pictures) and np.isclose(a.plane, b.plane, 1e-4) for a, b in pairs):
            return [row.name]
    return []


def _equal(mine: Picture | None, other: Picture | None) -> bool:
    return mine is other if mine is None or other is None else np.array_equal(mine, other)


def _sheet(pictures: Picture) -> Picture:
    small = figures.shrunk(pictures, _SHEET)
    return contact_sheet(small, columns=len(small), tile=_SHEET, clear=True)


def _uri(picture: Picture) -> str:
    return picture_uri(figures.shrunk(picture[None], figures.TILE)[0])


def _apart(value: float) -> str:
    """A distance; what rounding alone leaves between two pictures counts as none."""
    return _three(value) if value > 1e-6 else "0"


def _tenth(value: float) -> str:
    """One digit after the point, 0 without a sign."""
    return number(round(value, 1) + 0.0).replace("-", "−")


def _three(value: float) -> str:
    """Three digits, with a proper minus."""
    return number(float(f"{value:.3g}")).replace("-", "−") if abs(value) > 1e-12 else "0"
