"""``unfog train``: from your own pictures or texts to a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unfog.cli.screen import Screen, answer

if TYPE_CHECKING:
    from unfog.model import Model


Codec = Annotated[
    Path | None,
    typer.Option(
        help="Work in the latents of this codec (unfog train codec), of a model that works in some, "
        "or of a diffusers VAE."
    ),
]
Pairs = Annotated[
    Path | None, typer.Option(help="Draw from the visual words of this pair model (unfog train pairs).")
]


def train(
    recipe: Annotated[str, typer.Argument(help="image, text2image, language, codec or pairs.")],
    out: Annotated[Path, typer.Option(help="Folder of the run; must be new, unless --resume.")],
    data: Annotated[
        str | None,
        typer.Option(
            help="Folder, zip, tar, txt, parquet, jsonl, csv, a named set (digits), or hub:OWNER/NAME."
        ),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Training time; 10 when --steps is not given.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps instead of a time.")] = None,
    preset: Annotated[str | None, typer.Option(help="Size of the network: tiny, small or base.")] = None,
    size: Annotated[
        int | None, typer.Option(help="Pixels of a side, or tokens of a text, at once; chosen from the data.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any other setting, e.g. train.batch=32; repeatable.")
    ] = None,
    codec: Codec = None,
    pairs: Pairs = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, order and noise.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    samples: Annotated[int, typer.Option(help="Pictures or texts to make for the report; 0 for none.")] = 100,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a model: unfog train image --data photos/ --out runs/photos --minutes 10.

    unfog train language --data notes.txt learns from texts, and unfog train codec makes pictures small.
    """
    with Screen() as screen:
        screen.say("Starting...")
        from unfog.recipes.draw import remember
        from unfog.recipes.train import train as run

        model = run(
            recipe,
            data,
            out,
            minutes=minutes,
            steps=steps,
            preset=preset,
            size=size,
            seed=seed,
            settings=tuple(set_ or ()),
            resume=resume,
            samples=samples,
            codec=codec,
            pairs=pairs,
            listener=screen,
        )
        from accelerate import PartialState

        if not PartialState().is_main_process:  # one of several processes speaks
            return
        fingerprint = model.fingerprint()
        remember(out / "model", fingerprint)
    _tell(model, out, fingerprint, json)


def next_step(model: Model, path: Path) -> str:
    """What to do with a model that was just made."""
    if model.spec.recipe == "language":
        return f"unfog write {path}"
    if model.spec.recipe == "codec":
        return f"unfog train image --codec {path} --data {model.history[-1]['data']['source']} --out RUN"
    if model.spec.recipe == "pairs":
        return f"unfog evaluate {path} --data {model.history[-1]['data']['source']}"
    return f"unfog sample {path} --out pictures -n 16"


def _tell(model: Model, out: Path, fingerprint: str, json: bool) -> None:
    made = model.history[-1]
    values = {
        "model": str(out / "model"),
        "report": str(out / "report.html"),
        "fingerprint": fingerprint,
        "steps": made["steps"],
        "seconds": made["seconds"],
        "validation": made["validation"],
        "parameters": model.count_parameters(),
    }
    text = (
        f"Model:  {out / 'model'}\nReport: {out / 'report.html'}\nNext:   {next_step(model, out / 'model')}"
    )
    answer(values, json, text)
