"""``unfog inspect``: what made a file, a model, or a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from unfog.cli.screen import answer
from unfog.errors import DataError


def inspect(
    path: Annotated[Path, typer.Argument(help="A generated file, a model or a run.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read back what made a generated picture or text, a model or a run."""
    if not path.exists():
        from unfog.model import home

        path = home(path)
    if not path.exists():
        raise DataError(f"{path} does not exist. Give a generated file, a model or a run.")
    values = _folder(path) if path.is_dir() else _file(path)
    answer(values, json, "\n".join(_lines(values)))


def _file(path: Path) -> dict[str, Any]:
    from unfog.output.manuscript import read_manuscript
    from unfog.output.provenance import read_marks, read_provenance

    if path.suffix == ".txt":
        written = read_manuscript(path)
        if written is not None:
            return {"file": str(path), **written.to_dict()}
    entry = read_provenance(path)
    if entry is None:
        raise DataError(f"{path} does not say what made it: it is not from unfog, or its marks were removed.")
    return {"file": str(path), **entry.to_dict(), "marks": read_marks(path)}


def _folder(path: Path) -> dict[str, Any]:
    from unfog.spec import describe

    if (path / "config.toml").is_file():
        from unfog.train.run import read_log

        rows = read_log(path)
        values: dict[str, Any] = {
            "run": str(path),
            "steps": max((row.get("step", 0) for row in rows), default=0),
            "finished": any(row.get("event") == "finished" for row in rows),
            "config": (path / "config.toml").read_text("utf-8"),
            "events": [
                row for row in rows if "event" in row and row["event"] not in ("validation", "checkpoint")
            ],
        }
        if (path / "model" / "model.json").is_file():
            values["model"] = describe(path / "model")
        return values
    return {"model": str(path), **describe(path)}


def _lines(values: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", *_lines(value, indent + "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{indent}{name}:")
            for each in value:
                first, *rest = _lines(each, indent + "    ")
                lines += [f"{indent}  - {first.strip()}", *rest]
        elif isinstance(value, str) and "\n" in value:
            lines += [f"{indent}{name}:", *(f"{indent}  {line}" for line in value.splitlines())]
        elif value not in (None, "", [], ()):
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            lines.append(f"{indent}{name}: {shown}")
    return lines
