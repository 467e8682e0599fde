"""unfog: diffusion models you can hold in your hand.

import unfog
model = unfog.train("image", data="photos/", out="runs/photos", minutes=10)
pictures = model.generate(16, seed=0)
"""

import sys
from typing import TYPE_CHECKING, Any

from unfog.door import Door as _Door
from unfog.door import __version__

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

sys.modules[__name__].__class__ = _Door


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for: ``import unfog`` alone stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'unfog' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """What is public, for completion at a prompt."""
    return sorted({*globals(), *__all__})
