"""Raw data <-> x: pixels and tokens; later, learned latent spaces."""

from unfog.codec.base import Codec, PictureCodec
from unfog.codec.pixels import PixelCodec, PixelStatistics, measure_pixels, saturation_warnings
from unfog.codec.tokens import TokenCodec
from unfog.codec.vocabulary import VOCABULARIES, Vocabulary

CODECS: dict[str, type[Codec]] = {"pixels": PixelCodec, "tokens": TokenCodec}

__all__ = [
    "CODECS",
    "VOCABULARIES",
    "Codec",
    "PictureCodec",
    "PixelCodec",
    "PixelStatistics",
    "TokenCodec",
    "Vocabulary",
    "measure_pixels",
    "saturation_warnings",
]
