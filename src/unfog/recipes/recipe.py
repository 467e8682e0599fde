"""What a recipe is: its settings, and how data becomes something to train."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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
