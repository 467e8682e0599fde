"""``unfog demo``: the whole of it on handwritten digits, in about five minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unfog.cli.screen import Screen, answer


def demo(
    minutes: Annotated[float, typer.Option(help="Training time.")] = 4.0,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; runs/demo when left out.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train on 5,000 handwritten digits, draw 100 new ones, measure them, and write a report."""
    folder = out or _free(Path("runs/demo"))
    with Screen() as screen:
        screen.say("Learning handwriting from 5,000 digits. Ctrl-C stops and saves.")
        from unfog.model import load_pictures
        from unfog.recipes import draw
        from unfog.recipes.train import train

        train("image", "digits", folder, minutes=minutes, listener=screen)
        model = load_pictures(folder)
        draw.remember(folder / "model", model.fingerprint())
        saved, _ = draw.draw(model, folder / "samples", 100, film=True, listener=screen)
    report = folder / "report.html"
    values = {"report": str(report), "model": str(folder / "model"), "grid": str(saved.grid)}
    text = (
        f"Report:   {report.absolute()}\nPictures: {saved.grid}\n"
        f"Next:     unfog sample {folder / 'model'} --out sevens --label 7 -n 16\n"
        f"          unfog train image --data YOUR_FOLDER --out runs/mine --minutes 10"
    )
    answer(values, json, text)


def _free(path: Path) -> Path:
    candidate, number = path, 2
    while candidate.exists():
        candidate, number = path.with_name(f"{path.name}-{number}"), number + 1
    return candidate
