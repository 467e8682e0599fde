"""What a recipe is: its settings, and how data becomes something to train."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unfog import config as configs
from unfog.recipes.listen import Listener
from unfog.recipes.prepared import Prepared


@dataclass(frozen=True)
class Recipe:
    """One kind of model, from data to something to train.

    Attributes:
        config: the type of its settings; all have ``preset``, ``data`` (with ``source``) and ``train``.
        presets: sizes of the network by name.
        things: what it learns from, in a word.
        prepare: opens the data and makes a fresh model, the same for the same seed.
        settled: the settings with what follows from the data filled in.
    """

    config: type[Any]
    presets: Mapping[str, Any]
    things: str
    prepare: Callable[[Any, Listener], Prepared]
    settled: Callable[[Any, Any], Any]


def command_of(run: Path, config: Any) -> str:
    """The command that trains such a model again, with all that was set by hand; it names no folder.

    Args:
        run: the run's folder, whose ``config.toml`` is what was asked for.
        config: the settled settings, where there is no such file.
    """
    if (run / "config.toml").is_file():
        config = configs.read(type(config), run / "config.toml")
    given = config.model_dump(mode="json", exclude_defaults=True)
    data, train = given.pop("data"), given.pop("train", {})
    flags = {"preset": given.pop("preset", None), "size": data.pop("size", None)}
    flags |= {name: train.pop(name, None) for name in ("steps", "minutes", "seed")}
    if flags["steps"] is None and flags["minutes"] is None:
        flags["minutes"] = 10
    words = ["unfog", "train", given.pop("recipe", config.recipe), "--data", Path(data.pop("source")).name]
    words += ["--out", "RUN"]
    for name, value in flags.items():
        if value is not None:
            words += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    for name, value in _flat({"data": data, "train": train, **given}):
        words += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return shlex.join(words)


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as (a.b, value) pairs."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
