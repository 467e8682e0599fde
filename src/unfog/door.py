"""The package's own door: its version, and ``unfog.train``, a function although ``unfog/train`` is a room."""

from __future__ import annotations

from types import ModuleType
from typing import Any

__version__ = "0.1.0"


class Door(ModuleType):
    """Keeps ``unfog.train`` the function, also once the room of that name has been imported.

    Python sets an attribute of a package to each of its modules that is imported. The room stays reachable as
    ever: ``from unfog.train import fit``.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name == "train" and isinstance(value, ModuleType)):
            super().__setattr__(name, value)
