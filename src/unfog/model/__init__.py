"""Models: codec, encoder and denoiser that belong together, one kind for each kind of data."""

from unfog.model.base import Model
from unfog.model.disk import home, load, load_pictures, restate
from unfog.model.picture import PictureLoss, PictureModel

MODELS: dict[str, type[Model]] = {"image": PictureModel}
"""The kind of model that each recipe makes."""

__all__ = [
    "MODELS",
    "Model",
    "PictureLoss",
    "PictureModel",
    "home",
    "load",
    "load_pictures",
    "restate",
]
