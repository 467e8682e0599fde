"""Learning in latents: the codec opened, the pictures encoded once, and what a model has to know of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unfog.codec import LatentCodec, PixelStatistics, measure_latents, open_latents
from unfog.data import PictureStore
from unfog.data.buckets import Buckets
from unfog.errors import TrainError
from unfog.interop.diffusers_vae import is_vae_folder, read_vae
from unfog.model import CodecModel, PictureModel, load_codec
from unfog.model.codec import latent_part
from unfog.recipes.listen import Listener
from unfog.recipes.pictures import PicturesConfig


@dataclass(frozen=True, eq=False)
class Latents:
    """A set of pictures in latents.

    Attributes:
        codec: frozen, with the statistics of these pictures.
        values: latents of all pictures, float16 (N, h, w, c), on disk.
        buckets: the same at their own shapes, where the pictures are kept so.
        part: the codec as ``Spec.latent`` describes it.
    """

    codec: LatentCodec
    values: np.ndarray
    buckets: Buckets | None
    part: dict[str, Any]


def open_codec(path: str | Path) -> CodecModel:
    """A codec that unfog trained, or a KL autoencoder in the layout of diffusers.

    Raises:
        ModelError: if it is neither, or damaged.
    """
    return read_vae(path) if is_vae_folder(path) else load_codec(path)


def fitted(data: PicturesConfig, model: CodecModel, path: str | Path) -> dict[str, Any]:
    """Size and channels that pictures must have for a codec.

    Args:
        data: what was asked for.
        model: the codec.
        path: where it lies, for messages.

    Raises:
        TrainError: if something else was asked for.
    """
    channels, size = model.codec.autoencoder.config.channels, model.spec.size
    if size and data.size not in (None, size):
        raise TrainError(
            f"The codec {path} learned from pictures of {size} x {size} pixels, {data.size} were asked for. "
            f"Leave --size out, or train a codec for them: unfog train codec --size {data.size}"
        )
    if data.channels not in (None, channels):
        raise TrainError(
            f"The codec {path} is for pictures of {channels} channel(s), and {data.channels} were asked for. "
            "Leave data.channels out, or train another codec."
        )
    return {"size": size or data.size, "channels": channels}


def encode_store(
    store: PictureStore, model: CodecModel, statistics: PixelStatistics, listener: Listener
) -> Latents:
    """All pictures of a store as latents, from the cache where they were encoded before.

    Args:
        store: the pictures.
        model: the codec.
        statistics: of the pictures.
        listener: is told about progress.

    Raises:
        DataError: if the codec does not fit the size of the pictures.
    """
    codec, fingerprint = model.as_codec(), model.fingerprint()
    values, buckets = _encoded(store, codec, fingerprint, listener)
    codec.remeasure(statistics, measure_latents(values, store.train))
    channels, height, width = codec.latent
    listener.say(f"in latents of {width} x {height}, {channels} channels, by a codec ({fingerprint[:12]})")
    return Latents(codec, values, buckets, latent_part(codec, fingerprint))


def latents_again(store: PictureStore, model: PictureModel, listener: Listener) -> Latents:
    """All pictures in the latents of a model that works in some already; its statistics stay as they are.

    Args:
        store: the pictures.
        model: with a learned codec.
        listener: is told about progress.
    """
    assert isinstance(model.codec, LatentCodec)
    values, buckets = _encoded(store, model.codec, model.spec.latent["codec"], listener)
    return Latents(model.codec, values, buckets, model.spec.latent)


def _encoded(
    store: PictureStore, codec: LatentCodec, fingerprint: str, listener: Listener
) -> tuple[np.ndarray, Buckets | None]:
    """Latents of the squares, (N, h, w, c), and of the pictures at their own shapes, where there are any."""

    def encode(images: np.ndarray | Buckets) -> np.ndarray:
        return open_latents(
            images,
            store.digest,
            codec.compress,
            fingerprint,
            progress=lambda done, total: listener.phase("Encoding pictures", done, total),
            say=listener.say,
        )

    squares, shaped, side = encode(store.images), store.buckets, codec.factor
    if shaped is None:
        return squares, None
    shapes = tuple((height // side, width // side) for height, width in shaped.shapes)
    return squares, replace(shaped, rows=encode(shaped), shapes=shapes, channels=codec.latent[0])
