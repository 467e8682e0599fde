"""``unfog compress``: a model in half the bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unfog.cli.screen import Screen, answer


def compress(
    model: Annotated[Path, typer.Argument(help="Folder of a model or run.")],
    out: Annotated[Path, typer.Option(help="Folder of the smaller model.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Store a model's weights in half precision: unfog compress runs/photos --out photos-small."""
    with Screen():
        from unfog.export import halve

        before, after = halve(model, out)
    text = f"{out}: {after / 1e6:.1f} MB instead of {before / 1e6:.1f} MB"
    answer({"model": str(out), "bytes": after, "bytes_before": before}, json, text)
