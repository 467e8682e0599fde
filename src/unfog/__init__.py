"""unfog: diffusion models you can hold in your hand.

import unfog
model = unfog.train("image", data="photos/", out="runs/photos", minutes=10)
pictures = model.generate(16, seed=0)
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from unfog.data import open_pictures
    from unfog.errors import UnfogError
    from unfog.model import Model, load
    from unfog.recipes import train

__all__ = ["Model", "UnfogError", "__version__", "load", "open_pictures", "train"]

_HOMES = {
    "Model": "unfog.model",
    "UnfogError": "unfog.errors",
    "load": "unfog.model",
    "open_pictures": "unfog.data",
    "train": "unfog.recipes",
}


class _Door(ModuleType):
    """Keeps ``unfog.train`` the function, also once the room ``unfog/train`` has been imported.

    Python sets a package's attribute to each submodule that it imports; the room stays reachable as ever,
    ``from unfog.train import fit``.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name == "train" and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Door


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for: ``import unfog`` alone stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'unfog' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
