"""Models: parts that belong together, one kind for each kind of data; learned codecs, and pair models."""

from unfog.model.base import DiffusionModel, Model
from unfog.model.codec import CodecModel
from unfog.model.disk import home, load, load_codec, load_pairs, load_pictures, load_text, restate
from unfog.model.pairs import PairModel
from unfog.model.picture import PictureLoss, PictureModel
from unfog.model.text import TextModel

MODELS: dict[str, type[Model]] = {
    "image": PictureModel,
    "text2image": PictureModel,
    "language": TextModel,
    "codec": CodecModel,
    "pairs": PairModel,
}
"""The kind of model that each recipe makes."""

__all__ = [
    "MODELS",
    "CodecModel",
    "DiffusionModel",
    "Model",
    "PairModel",
    "PictureLoss",
    "PictureModel",
    "TextModel",
    "home",
    "load",
    "load_codec",
    "load_pairs",
    "load_pictures",
    "load_text",
    "restate",
]
