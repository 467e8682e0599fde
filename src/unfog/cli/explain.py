"""``unfog explain``: the process made visible, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unfog.cli.screen import Screen, answer
from unfog.errors import UsageError

LANGUAGES = ("en", "zh")


def explain(
    subject: Annotated[
        str,
        typer.Argument(metavar="MODEL|SCHEDULE", help="Folder of a model or run, or cosine, ddpm, ve, ..."),
    ],
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("explain.html"),
    lang: Annotated[str, typer.Option(help="Language of the page: en or zh.")] = "en",
    data: Annotated[
        str | None, typer.Option(help="Real pictures or texts; else a model's own, or digits for a schedule.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all noise on the page.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what happens inside: unfog explain runs/photos/model --out explain.html."""
    if lang not in LANGUAGES:
        raise UsageError(f"There is no page in {lang!r}. Use --lang {' or --lang '.join(LANGUAGES)}.")
    with Screen() as screen:
        from unfog.recipes.explain import explain as explain_pictures
        from unfog.recipes.explain_text import explain_text, is_of_text

        write = explain_text if is_of_text(subject) else explain_pictures
        found = write(subject, out, lang=lang, data=data, seed=seed, listener=screen)
    answer(found.values, json, f"Page: {found.path.absolute()}")
