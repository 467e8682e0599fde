"""``unfog likelihood``: bits per value of pictures the model never saw, and the most unusual ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unfog.cli.screen import Screen, answer, table


def likelihood(
    model: Annotated[Path, typer.Argument(help="Folder of a model or run.")],
    data: Annotated[str, typer.Option(help="The pictures it learned from; the held-out ones are measured.")],
    n: Annotated[int, typer.Option("-n", min=1, help="Pictures to measure.")] = 100,
    tolerance: Annotated[float, typer.Option(min=1e-10, max=0.1, help="Of the ODE solver.")] = 1e-5,
    seed: Annotated[int, typer.Option(help="Of the choice and of dequantisation.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how probable real pictures are: unfog likelihood runs/photos/model --data photos/."""
    with Screen() as screen:
        from unfog.model import load_pictures
        from unfog.recipes.likelihood import DEQUANTISED, measure_likelihood

        found = measure_likelihood(
            load_pictures(model), data, n, seed=seed, tolerance=tolerance, listener=screen
        )
    figures = [
        ["exact, by the probability flow", str(found.exact), str(found.exact.n)],
        ["variational bound", str(found.bound), str(found.bound.n)],
    ]
    unusual = [[name, f"{bits:.3f}"] for name, bits in found.unusual]
    text = [
        table(["bits per value, less is better", "mean (95 %)", "n"], figures),
        table(["most unusual", "bits per value"], unusual),
        f"{DEQUANTISED[:1].upper()}{DEQUANTISED[1:]}; {found.values['calls']} calls, "
        f"{found.values['seconds']:.0f} s.",
        *found.notes,
    ]
    answer(found.values, json, "\n\n".join(text))
