"""Other people's formats. Each reader takes a folder and gives a model of ours."""

from collections.abc import Callable
from pathlib import Path

from unfog.interop.diffusers_vae import read_vae
from unfog.model import Model

READERS: dict[str, Callable[[Path], Model]] = {"diffusers-vae": read_vae}
"""What can be read, by name."""

__all__ = ["READERS", "read_vae"]
