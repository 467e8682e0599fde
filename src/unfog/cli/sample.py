"""``unfog sample``: new pictures from a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unfog.cli.choices import GRIDS, SAMPLERS
from unfog.cli.screen import Screen, answer
from unfog.errors import UsageError

if TYPE_CHECKING:
    from unfog.output.pictures import Saved


Like = Annotated[
    list[Path] | None,
    typer.Option(help="A picture instead of words; given twice, the way from one to the other."),
]
Strength = Annotated[
    float, typer.Option(help="How far from the picture: 0 leaves it, 1 draws anew in its likeness.")
]
Edit = Annotated[str | None, typer.Option(help="How the picture shall differ, in words: 'a cat -> a dog'.")]

Threshold = Annotated[str | None, typer.Option(help="Against saturation: static, dynamic or none.")]
Aspect = Annotated[
    str | None, typer.Option(help="Width to height, 3:2, of a model that learned more than squares.")
]
Weight = Annotated[float, typer.Option(help="How much a picture counts beside a prompt, 0 not at all.")]


def sample(
    out: Annotated[Path, typer.Option(help="Folder for the pictures; what is there stays.")],
    model: Annotated[
        Path | None, typer.Argument(help="Folder of a model or run; not needed with --again.")
    ] = None,
    n: Annotated[int, typer.Option("-n", help="How many.")] = 16,
    label: Annotated[str | None, typer.Option(help="Class to draw; all take turns when left out.")] = None,
    prompt: Annotated[
        list[str] | None, typer.Option(help="What to draw, in words; several take turns.")
    ] = None,
    negative: Annotated[str | None, typer.Option(help="Words to keep away from.")] = None,
    sampler: Annotated[str | None, typer.Option(help=f"One of {SAMPLERS}.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps from noise to picture.")] = None,
    grid: Annotated[str | None, typer.Option(help=f"Spacing of the steps, one of {GRIDS}.")] = None,
    guidance: Annotated[float | None, typer.Option(help="1 is off; more keeps closer to the label.")] = None,
    autoguidance: Annotated[
        float | None, typer.Option(help="1 is off; more leads away from the model's early mistakes.")
    ] = None,
    classifier: Annotated[
        str | None, typer.Option(help="Labelled data, to ask a model for a label it never learned.")
    ] = None,
    classifier_scale: Annotated[
        float | None, typer.Option(help="How strongly the classifier steers; 0 is off, 5 when left out.")
    ] = None,
    threshold: Threshold = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting, of sampling or sampler, e.g. eta=0.5; repeatable."),
    ] = None,
    aspect: Aspect = None,
    seed: Annotated[int, typer.Option(help="Picture i of a seed is always the same.")] = 0,
    film: Annotated[bool, typer.Option("--film", help="Also write the way from noise to picture.")] = False,
    like: Like = None,
    strength: Strength = 1.0,
    edit: Edit = None,
    weight: Weight = 1.0,
    between: Annotated[
        list[Path] | None,
        typer.Option(help="Two pictures, one each time: draw the way from one to the other."),
    ] = None,
    again: Annotated[Path | None, typer.Option(help="Make this generated file once more.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Draw pictures: unfog sample runs/photos/model --out pictures -n 16."""
    changes: dict[str, Any] = {"sampler": sampler, "steps": steps, "grid": grid, "threshold": threshold}
    changes |= {"guidance": guidance, "autoguidance": autoguidance, "loss_scale": classifier_scale}
    changes["aspect"] = aspect
    if again is not None:
        _again(again, out, model, classifier, json)
    elif model is None:
        raise UsageError("Say which model draws: unfog sample runs/NAME/model --out DIR")
    elif classifier_scale is not None and classifier is None:
        raise UsageError("--classifier-scale needs labelled data to learn from: add --classifier DATA")
    elif between:
        _between(model, between, out, n, label, json)
    else:
        wish: dict[str, Any] = {"label": label, "prompt": prompt or None, "negative": negative, "edit": edit}
        how = {"seed": seed, "film": film, "classifier": classifier, "strength": strength}
        wish["weight"] = weight
        _draw(model, out, n, changes, set_ or (), json, wish, like or (), **how)


def _draw(
    model: Path,
    out: Path,
    n: int,
    changes: dict[str, Any],
    more: Sequence[str],
    json: bool,
    wish: dict[str, Any],
    like: Sequence[Path],
    **how: Any,
) -> None:
    with Screen() as screen:
        from unfog.config import override
        from unfog.model import home, load_pictures
        from unfog.model.asked import Wish
        from unfog.recipes import draw

        override(changes, more)
        loaded = load_pictures(model)
        if like:
            wish |= {"like": draw.read_likes(loaded, like), "names": [path.name for path in like]}
        saved, film = draw.draw(loaded, out, n, wish=Wish(**wish), settings=changes, listener=screen, **how)
        draw.remember(home(model), loaded.fingerprint())
    _tell(saved, film, json)


def _between(model: Path, ends: Sequence[Path], out: Path, n: int, label: str | None, json: bool) -> None:
    with Screen() as screen:
        from unfog.model import load_pictures
        from unfog.recipes.between import interpolate

        saved = interpolate(load_pictures(model), ends, out, n, label=label, listener=screen)
    _tell(saved, None, json)


def _again(original: Path, out: Path, model: Path | None, classifier: str | None, json: bool) -> None:
    with Screen() as screen:
        from unfog.model import load_pictures
        from unfog.recipes import draw

        loaded = None if model is None else load_pictures(model)
        path = draw.again(original, out, model=loaded, classifier=classifier, listener=screen)
    same = path.read_bytes() == original.read_bytes()
    verdict = "the same to the byte" if same else "differs: made on another machine or version?"
    answer({"file": str(path), "identical": same}, json, f"{path}: {verdict}")


def _tell(saved: Saved, film: Path | None, json: bool) -> None:
    files = [str(path) for path in saved.files]
    values = {"folder": str(saved.folder), "files": files, "index": str(saved.index), "grid": str(saved.grid)}
    if film is not None:
        values["film"] = str(film)
    text = f"{len(files)} pictures in {saved.folder}; all on one sheet: {saved.grid}"
    answer(values, json, text + (f"\nFilm: {film}" if film else ""))
