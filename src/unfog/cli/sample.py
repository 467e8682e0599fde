"""``unfog sample``: new pictures from a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unfog.cli.choices import GRIDS, SAMPLERS
from unfog.cli.screen import Screen, answer
from unfog.errors import UsageError

if TYPE_CHECKING:
    from unfog.output.pictures import Saved


def sample(
    out: Annotated[Path, typer.Option(help="Folder for the pictures; what is there stays.")],
    model: Annotated[
        Path | None, typer.Argument(help="Folder of a model or run; not needed with --again.")
    ] = None,
    n: Annotated[int, typer.Option("-n", help="How many.")] = 16,
    label: Annotated[str | None, typer.Option(help="Class to draw; all take turns when left out.")] = None,
    sampler: Annotated[str | None, typer.Option(help=f"One of {SAMPLERS}.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps from noise to picture.")] = None,
    grid: Annotated[str | None, typer.Option(help=f"Spacing of the steps, one of {GRIDS}.")] = None,
    guidance: Annotated[float | None, typer.Option(help="1 is off; more keeps closer to the label.")] = None,
    threshold: Annotated[
        str | None, typer.Option(help="Against saturation: static, dynamic or none.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting, of sampling or sampler, e.g. eta=0.5; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Picture i of a seed is always the same.")] = 0,
    film: Annotated[bool, typer.Option("--film", help="Also write the way from noise to picture.")] = False,
    between: Annotated[
        list[Path] | None,
        typer.Option(help="Two pictures, one each time: draw the way from one to the other."),
    ] = None,
    again: Annotated[Path | None, typer.Option(help="Make this generated file once more.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Draw pictures: unfog sample runs/photos/model --out pictures -n 16."""
    if model is None and again is None:
        raise UsageError("Say which model draws: unfog sample runs/NAME/model --out DIR")
    with Screen() as screen:
        from unfog.config import override
        from unfog.model import home, load
        from unfog.recipes import draw

        loaded = None if model is None else load(model)
        if again is not None:
            _compare(draw.again(again, out, model=loaded, listener=screen), again, json)
            return
        assert loaded is not None and model is not None
        if between:
            from unfog.recipes.between import interpolate

            _tell(interpolate(loaded, between, out, n, label=label, listener=screen), None, json)
            return
        changes: dict[str, Any] = {"sampler": sampler, "steps": steps, "grid": grid}
        changes |= {"guidance": guidance, "threshold": threshold}
        override(changes, set_ or ())
        saved, film_path = draw.draw(
            loaded, out, n, label=label, seed=seed, film=film, settings=changes, listener=screen
        )
        draw.remember(home(model), loaded.fingerprint())
    _tell(saved, film_path, json)


def _compare(path: Path, first: Path, json: bool) -> None:
    same = path.read_bytes() == first.read_bytes()
    verdict = "the same to the byte" if same else "differs: made on another machine or version?"
    answer({"file": str(path), "identical": same}, json, f"{path}: {verdict}")


def _tell(saved: Saved, film_path: Path | None, json: bool) -> None:
    files = [str(path) for path in saved.files]
    values = {"folder": str(saved.folder), "files": files, "index": str(saved.index), "grid": str(saved.grid)}
    if film_path is not None:
        values["film"] = str(film_path)
    text = f"{len(files)} pictures in {saved.folder}; all on one sheet: {saved.grid}"
    answer(values, json, text + (f"\nFilm: {film_path}" if film_path else ""))
