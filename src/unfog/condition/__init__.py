"""What steers generation: labels, text, later pictures and small versions of the picture itself."""

from collections.abc import Callable

from unfog.condition.base import NONE, Condition, Encoder
from unfog.condition.beside import PicturePrompt, WordsAndPicture
from unfog.condition.image import PictureEncoder, PictureEncoderConfig
from unfog.condition.label import ANY, LabelEncoder
from unfog.condition.language import LanguageModel, open_language
from unfog.condition.minilm import MiniLM
from unfog.condition.pretrained import Pretrained
from unfog.condition.spelling import Spelling
from unfog.condition.text import OwnTextEncoder, OwnTextEncoderConfig, TextEncoder, TextEncoderConfig
from unfog.condition.universal import Universal
from unfog.condition.word_cache import WordStore, open_words
from unfog.condition.words import Words

ENCODERS: dict[str, type[Encoder]] = {
    "label": LabelEncoder,
    "text": TextEncoder,
    "own-text": OwnTextEncoder,
    "image": PictureEncoder,
    "text-and-image": WordsAndPicture,
}

LANGUAGE_MODELS: dict[str, Callable[..., LanguageModel]] = {"minilm": MiniLM, "use": Universal}
"""Language models that are known by name; any other is a folder, or hub:OWNER/NAME."""

__all__ = [
    "ANY",
    "ENCODERS",
    "LANGUAGE_MODELS",
    "NONE",
    "Condition",
    "Encoder",
    "LabelEncoder",
    "LanguageModel",
    "MiniLM",
    "OwnTextEncoder",
    "OwnTextEncoderConfig",
    "PictureEncoder",
    "PictureEncoderConfig",
    "PicturePrompt",
    "Pretrained",
    "Spelling",
    "TextEncoder",
    "TextEncoderConfig",
    "Universal",
    "WordStore",
    "Words",
    "WordsAndPicture",
    "open_language",
    "open_words",
]
