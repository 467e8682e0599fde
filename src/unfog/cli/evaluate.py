"""``unfog evaluate``: quality, diversity, memorisation, and beside each the figure of real data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from unfog.cli.choices import SAMPLERS
from unfog.cli.screen import Screen, answer, table
from unfog.errors import UsageError


def evaluate(
    model: Annotated[Path, typer.Argument(help="Folder of a model or run.")],
    data: Annotated[str, typer.Option(help="The data it learned from, or other of its kind.")],
    n: Annotated[
        int | None, typer.Option("-n", help="Samples: 1,000 pictures or 200 texts when left out.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Sampling steps.")] = None,
    sampler: Annotated[str | None, typer.Option(help=f"One of {SAMPLERS}.")] = None,
    guidance: Annotated[float | None, typer.Option(help="1 is off.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting, of sampling or sampler, e.g. eta=0.5; repeatable."),
    ] = None,
    judge: Annotated[
        Path | None,
        typer.Option(help="A pair model (unfog train pairs) that looks for the prompt of each picture."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the samples.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure a model: unfog evaluate runs/photos/model --data photos/."""
    with Screen() as screen:
        from unfog.config import override
        from unfog.model import CodecModel, PairModel, TextModel, load, load_pairs, load_pictures
        from unfog.recipes.assess import Evaluation, evaluate_model
        from unfog.recipes.assess_text import evaluate_text
        from unfog.recipes.codec_story import evaluate_codec
        from unfog.recipes.pairs_story import evaluate_pairs

        changes: dict[str, Any] = {"steps": steps, "sampler": sampler, "guidance": guidance}
        override(changes, set_ or ())
        loaded = load(model)
        if judge is not None and isinstance(loaded, CodecModel | PairModel | TextModel):
            raise UsageError("--judge is for models that draw from words. Leave it out.")
        common: dict[str, Any] = {"seed": seed, "settings": changes, "listener": screen}
        found: Evaluation
        if isinstance(loaded, TextModel):
            found = evaluate_text(loaded, data, 200 if n is None else n, **common)
        elif isinstance(loaded, CodecModel):
            found = evaluate_codec(loaded, data, listener=screen)
        elif isinstance(loaded, PairModel):
            found = evaluate_pairs(loaded, data, listener=screen)
        else:
            common["judge"] = None if judge is None else load_pairs(judge)
            found = evaluate_model(load_pictures(model), data, 1000 if n is None else n, **common)
    head = ["figure", "samples", "real, held out", "better", "n"]
    text = "\n".join([table(head, found.rows), "", *found.notes])
    answer(found.values, json, text.rstrip())
