"""Models: codec, encoder and denoiser that belong together, one kind for each kind of data."""

from unfog.model.base import Model
from unfog.model.disk import home, load, load_pictures, load_text, restate
from unfog.model.picture import PictureLoss, PictureModel
from unfog.model.text import TextModel

MODELS: dict[str, type[Model]] = {"image": PictureModel, "text2image": PictureModel, "language": TextModel}
"""The kind of model that each recipe makes."""

__all__ = [
    "MODELS",
    "Model",
    "PictureLoss",
    "PictureModel",
    "TextModel",
    "home",
    "load",
    "load_pictures",
    "load_text",
    "restate",
]
