"""A learned codec as a model of its own: an autoencoder that turns pictures into latents and back.

It makes nothing new by itself. A model of pictures that works in its latents carries a copy of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unfog.codec.latent import LatentCodec, LatentStatistics
from unfog.codec.pixels import PixelStatistics
from unfog.errors import ModelError
from unfog.model.base import Model
from unfog.nets.autoencoder import AutoencoderConfig, TinyDecoderConfig
from unfog.spec import CodecSpec, build_part

AT_ONCE = 64


class CodecModel(Model):
    """A model that makes pictures small, and large again."""

    spec: CodecSpec
    codec: LatentCodec

    def __init__(self, spec: CodecSpec, history: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(spec, history)
        statistics = build_part(PixelStatistics, spec.statistics, "pixel statistics")
        self.codec = codec_from(statistics, asdict(spec))

    @classmethod
    def read(cls, folder: Path, description: dict[str, Any]) -> CodecModel:
        """See ``Model.read``."""
        known = {f.name for f in fields(CodecSpec)}
        spec = CodecSpec(**{name: value for name, value in description.items() if name in known})
        return cls(spec, description.get("history", []))

    @classmethod
    def of(cls, codec: LatentCodec) -> CodecModel:
        """The codec that a model of pictures works in, as a model of its own; a copy."""
        part = latent_part(codec, "")
        spec = CodecSpec(
            recipe="codec",
            autoencoder=part["autoencoder"],
            statistics=codec.statistics.to_dict(),
            latents=part["latents"],
            tiny=part["tiny"],
            size=codec.statistics.shape[1],
        )
        model = cls(spec)
        model.codec = codec.copy()
        return model.eval()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a picture that it learned from."""
        return self.codec.shape

    def generate(self, n: int = 8, *, seed: int = 0, **settings: Any) -> list[Any]:
        """A codec makes nothing new.

        Raises:
            ModelError: always, saying what does.
        """
        raise ModelError(
            "This is a codec: it makes nothing new by itself. Train a model in its latents: "
            "unfog train image --codec MODEL --data DATA --out RUN"
        )

    def encode(self, pictures: np.ndarray) -> Tensor:
        """uint8 pictures (N, H, W, C) to normalised latents, float32 (N, c, h, w)."""
        raw = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2)
        return self.codec.encode(raw)

    @torch.no_grad()
    def decode(self, latents: Tensor, *, quick: bool = False) -> np.ndarray:
        """Normalised latents (N, c, h, w) to uint8 pictures (N, H, W, C); ``quick`` is for previews."""
        shown = self.codec.glance(latents) if quick else self.codec.decode(latents)
        pictures: np.ndarray = shown.permute(0, 2, 3, 1).cpu().numpy()
        return pictures

    def reconstruct(self, pictures: np.ndarray, *, quick: bool = False) -> np.ndarray:
        """Pictures, uint8 (N, H, W, C), there and back again."""
        parts = [pictures[start : start + AT_ONCE] for start in range(0, len(pictures), AT_ONCE)]
        return np.concatenate([self.decode(self.encode(part), quick=quick) for part in parts])

    def as_codec(self) -> LatentCodec:
        """The codec for a model that works in its latents: a frozen copy."""
        return self.codec.copy()


def codec_from(statistics: PixelStatistics, parts: Mapping[str, Any]) -> LatentCodec:
    """A codec without its weights, from plain options.

    Args:
        statistics: of the pictures.
        parts: "autoencoder", "tiny" and "latents", as in ``CodecSpec``.

    Raises:
        ModelError: if no codec can be built from them.
    """
    autoencoder = build_part(AutoencoderConfig, dict(parts["autoencoder"]), "autoencoder")
    tiny = build_part(TinyDecoderConfig, dict(parts["tiny"]), "small decoder") if parts.get("tiny") else None
    channels, height, width = statistics.shape
    if channels != autoencoder.channels:
        raise ModelError(f"The codec is for {autoencoder.channels} channels, the pictures have {channels}.")
    if parts.get("latents"):
        latents = build_part(LatentStatistics, dict(parts["latents"]), "latent statistics")
    else:
        shape = (autoencoder.latent, height // autoencoder.factor, width // autoencoder.factor)
        latents = LatentStatistics.of_nothing(shape)
    return LatentCodec(statistics, latents, autoencoder, tiny)


def latent_part(codec: LatentCodec, fingerprint: str) -> dict[str, Any]:
    """A codec as ``Spec.latent`` describes it.

    Args:
        codec: with the statistics of the pictures at hand.
        fingerprint: of the model that it comes from.
    """
    return {
        "autoencoder": asdict(codec.autoencoder.config),
        "tiny": {} if codec.tiny is None else asdict(codec.tiny.config),
        "latents": codec.latents.to_dict(),
        "codec": fingerprint,
    }
