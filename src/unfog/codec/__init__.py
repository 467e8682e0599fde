"""Raw data <-> x: pixels, learned latents, and tokens."""

from unfog.codec.base import Codec, PictureCodec
from unfog.codec.latent import LatentCodec, LatentStatistics, measure_latents
from unfog.codec.latent_cache import open_latents
from unfog.codec.pixels import PixelCodec, PixelStatistics, measure_pixels, saturation_warnings
from unfog.codec.tokens import TokenCodec
from unfog.codec.vocabulary import VOCABULARIES, Vocabulary

CODECS: dict[str, type[Codec]] = {
    "pixels": PixelCodec,
    "latent": LatentCodec,
    "tokens": TokenCodec,
}

__all__ = [
    "CODECS",
    "VOCABULARIES",
    "Codec",
    "LatentCodec",
    "LatentStatistics",
    "PictureCodec",
    "PixelCodec",
    "PixelStatistics",
    "TokenCodec",
    "Vocabulary",
    "measure_latents",
    "measure_pixels",
    "open_latents",
    "saturation_warnings",
]
