"""``unfog evaluate``: quality, diversity, memorisation, and beside each the figure of real pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from unfog.cli.choices import SAMPLERS
from unfog.cli.screen import Screen, answer, table


def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder of a model or run.")],
    data: Annotated[str, typer.Option(help="The pictures it learned from, or others of their kind.")],
    n: Annotated[int, typer.Option("-n", help="Samples to draw.")] = 1000,
    steps: Annotated[int | None, typer.Option(help="Sampling steps.")] = None,
    sampler: Annotated[str | None, typer.Option(help=f"One of {SAMPLERS}.")] = None,
    guidance: Annotated[float | None, typer.Option(help="1 is off.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting, of sampling or sampler, e.g. eta=0.5; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the samples.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure a model: unfog evaluate runs/photos/model --data photos/."""
    with Screen() as screen:
        from unfog.config import override
        from unfog.model import load_pictures
        from unfog.recipes.assess import evaluate_model

        changes: dict[str, Any] = {"steps": steps, "sampler": sampler, "guidance": guidance}
        override(changes, set_ or ())
        found = evaluate_model(load_pictures(model), data, n, seed=seed, settings=changes, listener=screen)
    head = ["figure", "samples", "real, held out", "better", "n"]
    text = "\n".join([table(head, found.rows), "", *found.notes])
    answer(found.values, json, text.rstrip())
