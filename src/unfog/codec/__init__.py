"""Raw data <-> x: pixels; later, learned latent spaces and tokens."""

from unfog.codec.base import Codec
from unfog.codec.pixels import PixelCodec, PixelStatistics, measure_pixels, saturation_warnings

CODECS: dict[str, type[Codec]] = {"pixels": PixelCodec}

__all__ = ["CODECS", "Codec", "PixelCodec", "PixelStatistics", "measure_pixels", "saturation_warnings"]
