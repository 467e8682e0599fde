"""The page of ``unfog explain`` for a model of text: the process made visible in five parts, in one file.

Like that of pictures it needs nothing else, runs no script, and treats every text as untrusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from unfog.atomic import atomic_write
from unfog.door import __version__
from unfog.output.charts import Series, line_chart
from unfog.output.explain_text_words import WORDS
from unfog.output.explained_text import Attempt, Canvas, Cell, Guess, Order, TextExplanation
from unfog.output.report import template
from unfog.output.words import large, number, percent, tight, whole, words

_WIDEST = 24  # characters of a token that is listed


def write_text_explanation(path: str | Path, explanation: TextExplanation, *, lang: str = "en") -> Path:
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
    words(lang)
    return atomic_write(path, template("explain_text.html").render(**_page(explanation, lang)))


def _page(e: TextExplanation, lang: str) -> dict[str, Any]:
    """Everything that the template prints."""
    from markupsafe import Markup

    w, masked = WORDS[lang], e.kind == "masked"
    return {
        "w": w,
        "title": w["title"].format(title=e.title),
        "masked": masked,
        "wide": _wide(e),
        "intro": _intro(e, w, lang),
        "forward_text": w[f"forward_{e.kind}_text"],
        "given": w["given"].format(given=e.given) if e.given else "",
        "forward": [_canvas(each, w["kept"]) for each in e.forward],
        "curves": Markup(_curves(e, w)),
        "guesses_text": w[f"guesses_{e.kind}_text"],
        "guesses": [_guess(each, e, w) for each in e.guesses],
        "orders_text": w[f"orders_{e.kind}_text"].format(
            steps=e.steps, each=w["each_block"].format(n=e.block) if e.block else ""
        ),
        "orders": [_order(each, e, w) for each in e.orders],
        "steps_text": w[f"steps_{e.kind}_text"],
        "attempts": [(name, [_attempt(each, w) for each in tries]) for name, tries in e.attempts.items()],
        "losses": Markup(_losses(e, w)),
        "losses_text": _losses_text(e, w),
        "made": [w["made_how"].format(version=__version__), *(f"{k}: {v}" for k, v in e.made_by.items())],
        "command": e.command,
    }


def _wide(e: TextExplanation) -> bool:
    """Whether most of what is shown takes the room of a Chinese character."""
    letters = "".join(cell.text for cell in e.forward[0].cells)
    return sum(letter >= "\u2e80" for letter in letters) > len(letters) / 2


def _intro(e: TextExplanation, w: dict[str, str], lang: str) -> list[str]:
    names: dict[str, Any] = {
        "title": e.title,
        "weights": large(e.weights, lang),
        "vocabulary": whole(e.vocabulary),
        "tokens": w[f"tokens_{e.tokens}"],
        "context": whole(e.context),
        "keep": e.keep,
        "source": e.source,
        "block": e.block,
        "label": e.label,
    }
    keys = ["who", f"process_{e.kind}"]
    keys += ["blocks"] if e.block else []
    keys += [f"origin_{e.origin}"]
    keys += ["other_data"] if e.other_data else []
    keys += ["asked"] if e.label else []
    return [tight(w[key].format(**names)) for key in keys]


def _canvas(canvas: Canvas, label: str) -> dict[str, Any]:
    return {
        "label": label.format(t=f"{canvas.t:.2f}", share=f"{100 * canvas.share:.0f} %"),
        "cells": merged(canvas.cells),
    }


def merged(cells: Sequence[Cell]) -> list[dict[str, str]]:
    """Neighbours that look the same as one; shades in twentieths, which no eye tells apart."""

    def look(cell: Cell) -> tuple[str, str]:
        return cell.kind, "" if cell.sure is None else f"{round(20 * cell.sure) / 20:g}"

    return [
        {"kind": kind, "sure": sure, "text": "".join(cell.text for cell in group)}
        for (kind, sure), group in groupby(cells, look)
    ]


def _curves(e: TextExplanation, w: dict[str, str]) -> str:
    lines = []
    for place, (name, alpha) in enumerate(e.curves.items()):
        shown = w["own_keep"].format(name=name) if name == e.keep else name
        lines.append(Series(shown, np.linspace(0, 1, len(alpha)), alpha, colour=place))
    return line_chart(lines, x_label=w["time"], y_label=w["share"], apart=True)


def _guess(guess: Guess, e: TextExplanation, w: dict[str, str]) -> dict[str, Any]:
    note = w["seen_none"] if guess.seen == 0 else w["seen"].format(n=whole(guess.seen))
    told = w["true"].format(share=percent(guess.true), entropy=number(round(guess.entropy, 2)))
    return {
        "cells": merged(guess.cells),
        "note": note + w["comma"] + told,
        "tokens": [
            (_visible(token), f"{100 * value:.3g}", percent(value), token == e.truth)
            for token, value in guess.tokens
        ],
    }


def _visible(token: str) -> str:
    """A token as it can be listed: spaces and line ends have signs."""
    return token.replace("\n", "↵").replace(" ", "␣")[:_WIDEST]


def _order(order: Order, e: TextExplanation, w: dict[str, str]) -> dict[str, Any]:
    label = w["there"] if e.kind == "masked" else w["kept"]
    return {
        "name": order.name,
        "text": w[f"order_{order.name}"],
        "canvases": [_canvas(each, label) for each in order.canvases],
        "calls": w["calls"].format(n=whole(order.calls)),
    }


def _attempt(attempt: Attempt, w: dict[str, str]) -> dict[str, str]:
    bits = w["bits"].format(bits=number(float(f"{attempt.bits:.3g}")))
    return {
        "steps": w["steps_one"] if attempt.steps == 1 else w["steps_n"].format(n=attempt.steps),
        "text": attempt.text or w["nothing"],
        "note": w["calls"].format(n=whole(attempt.calls)) + w["comma"] + bits,
    }


def _losses(e: TextExplanation, w: dict[str, str]) -> str:
    lines = [
        Series(w[f"line_{name}"], e.losses.lost, values, colour=place)
        for place, (name, values) in enumerate(e.losses.lines.items())
    ]
    return line_chart(
        lines, x_label=w[f"lost_{e.kind}"], y_label=w[f"bits_{e.kind}"], points=True, apart=True
    )


def _losses_text(e: TextExplanation, w: dict[str, str]) -> list[str]:
    texts = [w[f"losses_{e.kind}_text"].format(count=whole(e.losses.count))]
    if e.kind == "masked":
        area = number(float(f"{e.losses.area:.3g}"))
        texts.append(w["losses_area"].format(area=area, perplexity=number(float(f"{2**e.losses.area:.3g}"))))
    return [*texts, w[f"losses_{e.origin}"]]
