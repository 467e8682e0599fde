"""``unfog data``: real data sets that the package clients of the machine can obtain."""

from __future__ import annotations

from typing import Annotated

import typer

from unfog.cli.screen import Screen, answer, table


def data_list(json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """List the named sets."""
    from unfog.data import list_sets

    sets = list_sets()
    shown = ("name", "kind", "what", "count", "licence", "client", "package")
    values = {"sets": [{k: getattr(s, k) for k in shown} | {"installed": s.installed()} for s in sets]}
    rows = [
        [
            each.name,
            each.kind,
            f"{each.count:,}",
            "yes" if each.installed() else "no",
            each.client,
            each.licence,
            each.what,
        ]
        for each in sets
    ]
    answer(values, json, table(["name", "kind", "count", "here", "through", "licence", "what"], rows))


def data_get(
    name: Annotated[str, typer.Argument(help="A name from: unfog data list.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Obtain a named set, check it, and keep it in the cache."""
    from unfog.data import NAMED, get

    with Screen() as screen:
        path = get(name, lambda done, total: screen.phase(f"Getting {name}", done, total))
    recipes = {"pictures": "image", "text": "language"}
    recipe = recipes.get(NAMED[name].kind)
    said = f"Use it: unfog train {recipe} --data {name} --out runs/{name}" if recipe else "It reads prompts."
    answer({"name": name, "path": str(path)}, json, f"{name} is here. {said}")
