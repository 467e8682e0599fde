"""``unfog write``: new text from a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unfog.cli.choices import TOKEN_SAMPLERS
from unfog.cli.screen import Screen, answer

if TYPE_CHECKING:
    from unfog.model import TextModel
    from unfog.recipes.write import Wish

HIDDEN = "\u2591"  # what a token looks like that is not known yet


def write(
    model: Annotated[Path, typer.Argument(help="Folder of a model or run.")],
    n: Annotated[int, typer.Option("-n", help="How many texts.")] = 1,
    prompt: Annotated[str | None, typer.Option(help="What the text begins with.")] = None,
    infill: Annotated[
        str | None, typer.Option(help='Text with blanks to fill: "The ___ of the package is ___."')
    ] = None,
    blank: Annotated[int | None, typer.Option(help="Tokens in each blank; free when left out.")] = None,
    summarize: Annotated[
        Path | None, typer.Option(help="Text file to say in short; - is standard input.")
    ] = None,
    rewrite: Annotated[str | None, typer.Option(help="A text to forget in part and write anew.")] = None,
    strength: Annotated[float, typer.Option(help="With --rewrite: the share to forget, 0 to 1.")] = 0.5,
    label: Annotated[str | None, typer.Option(help="Class to write; all take turns when left out.")] = None,
    length: Annotated[int | None, typer.Option(help="Tokens of the canvas.")] = None,
    sampler: Annotated[str | None, typer.Option(help=f"One of {TOKEN_SAMPLERS}.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps from an empty canvas to text.")] = None,
    temperature: Annotated[
        float | None, typer.Option(help="1 is the model's own law, less is more careful, 0 most likely.")
    ] = None,
    top_p: Annotated[float | None, typer.Option(help="Leave out the unlikeliest; 1 leaves out none.")] = None,
    guidance: Annotated[float | None, typer.Option(help="1 is off; more keeps closer to the label.")] = None,
    no_repeat: Annotated[
        int | None, typer.Option(help="Write no run of so many tokens twice; 0 lets all stand.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Any other setting, e.g. tau=0.8; repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Text i of a seed is always the same.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Also write the texts into this folder.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Show the canvas filling in.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write, complete, fill in or summarise: unfog write runs/poems/model -n 4."""
    with Screen() as screen:
        screen.say("Loading...") if stream else None
        from unfog.config import override
        from unfog.model import load_text
        from unfog.recipes import write as writing

        changes: dict[str, Any] = {"sampler": sampler, "steps": steps, "temperature": temperature}
        changes |= {"top_p": top_p, "guidance": guidance, "no_repeat": no_repeat}
        override(changes, set_ or ())
        source = None if summarize is None else _source(summarize)
        wish = writing.Wish(n, prompt, infill, blank, source, rewrite, strength, label, length, seed)
        loaded = load_text(model)
        if stream:
            texts = [_stream(loaded, wish, changes, screen)]
        else:
            texts = writing.write(loaded, wish, changes, screen)
        saved = None if out is None else writing.keep(loaded, wish, changes, texts, out)
    values = {"texts": texts, "task": wish.task, "seed": seed, "model": loaded.fingerprint()}
    if saved is not None:
        values |= {"files": [str(file) for file in saved.files], "index": str(saved.index)}
    answer(values, json, "\n\n".join(texts))


def _source(path: Path) -> str:
    """The text of a file, or of standard input."""
    import sys

    from unfog.recipes.write import read_source, source_of

    return read_source(path) if str(path) != "-" else source_of(sys.stdin.buffer, "Standard input")


def _stream(model: TextModel, wish: Wish, changes: dict[str, Any], screen: Screen) -> str:
    """Write one text before the eyes of the user, on stderr; line by line where there is no terminal."""
    from rich.live import Live
    from rich.text import Text

    from unfog.recipes.write import stream

    if not screen.console.is_terminal:
        return stream(model, wish, changes, screen.say, HIDDEN)
    with Live(console=screen.console, refresh_per_second=20, transient=True) as live:
        return stream(model, wish, changes, lambda canvas: live.update(Text(canvas)), HIDDEN)
