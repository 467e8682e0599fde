"""The image recipe: learn from a set of pictures, with classes where it has them, and draw new ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from pydantic import Field

from unfog.codec import measure_pixels, saturation_warnings
from unfog.config import Config
from unfog.data import PictureStore
from unfog.data.buckets import Shape
from unfog.errors import TrainError
from unfog.model import CodecModel, PictureModel
from unfog.recipes.image_run import Pictures
from unfog.recipes.latents import Latents, encode_store, fitted, open_codec
from unfog.recipes.listen import Listener, Silent
from unfog.recipes.pictures import PicturesConfig, open_store
from unfog.recipes.recipe import Recipe
from unfog.rng import derive_seed
from unfog.spec import Sampling, Spec, build_part
from unfog.train import TrainConfig
from unfog.train.denoising import noise_law
from unfog.train.groups import FEWEST, Groups, find_groups

# channels at the highest resolution for pictures of up to 32 pixels, and blocks at each resolution
PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"width": 16, "depth": 1},
    "small": {"width": 32, "depth": 1},
    "base": {"width": 96, "depth": 2},
}
WHOLE = 32  # latents along a side up to which the network looks at each of them by itself
COARSEST = 8  # about the side at the lowest resolution, where attention looks at everything
LEAST_START = 20.0  # the noise at which sampling starts at least: data of any spread are lost there
DETAIL = 2  # sizes of surroundings from which pixels differ: 3 and 5 wide; a third brings next to nothing
FEW = 8  # numbers in one place: digits, with 4, are drawn better without detail
LISTENING = 16  # the largest side at which places look at a text or a picture given as a prompt
LISTENERS: dict[str, dict[str, int]] = {
    "tiny": {"width": 32, "depth": 1},
    "small": {"width": 80, "depth": 2},
    "base": {"width": 128, "depth": 3},
}
"""The same presets for U-Nets that are told what to draw: words take more weights than classes do."""


class DataConfig(PicturesConfig):
    """Which pictures.

    Attributes:
        flip: mirror half of the pictures left to right while training.
        classes: learn the classes where the data has them.
        groups: groups of look-alikes, in all, 0 for none; some for data without classes when left out.
        codec: folder of a learned codec, to work in its latents; in pixels when left out.
        buckets: learn pictures at their own shapes, all of about one area, instead of their central squares.
    """

    flip: bool = False
    classes: bool = True
    groups: int | None = Field(default=None, ge=0, le=4096)
    codec: str | None = None
    buckets: bool = False


class ImageConfig(Config):
    """Everything that a run of the image recipe depends on.

    Attributes:
        recipe: always "image".
        preset: "tiny", "small" or "base": the size of the network.
        data: which pictures.
        network: options of the network that differ from the preset; ``kind`` is a name of ``NETWORKS``, and
            ``variance`` lets it learn the variance of the reverse step as well.
        schedule: ``kind`` is a name of ``SCHEDULES``, the rest its options.
        target: what the network predicts, a name of ``TARGETS``.
        train: how to train.
        sampling: fields of ``Sampling`` that the model shall carry as its defaults.
    """

    recipe: str = "image"
    preset: str = "small"
    data: DataConfig
    network: dict[str, Any] = Field(default_factory=dict)
    schedule: dict[str, Any] = Field(default_factory=lambda: {"kind": "cosine"})
    target: str = "v"
    train: TrainConfig = Field(default_factory=TrainConfig)
    sampling: dict[str, Any] = Field(default_factory=dict)


def network_for(preset: str, size: int, options: dict[str, Any]) -> dict[str, Any]:
    """The network's options: the preset, fitted to the size of the pictures, then what the user changed.

    Larger pictures are folded into more channels (patches of 4 from 48 pixels on), and get more levels, so
    that attention always sees about 8 x 8 places. Whoever is told where things stand has to know where that
    is: networks that listen to words know positions.
    """
    kind = options.get("kind", "unet")
    told = bool(options.get("context") or options.get("picture"))
    if kind == "transformer":
        width = {"tiny": 64, "small": 192, "base": 384}[preset]
        return {"kind": kind, "patch": 4 if size < 96 else 8, "width": width, **options}
    if kind == "joint":
        width, depth = {"tiny": (64, 4), "small": (256, 6), "base": (384, 10)}[preset]
        patch = 2 if size <= 16 else 4 if size < 96 else 8  # 64 to 600 tokens
        shape = {"patch": patch, "width": width, "depth": depth, "position": told}
        return {"kind": kind, **shape, **options}
    patch = int(options.get("patch", 2 if size < 48 else 4))
    shape = LISTENERS[preset] if told else PRESETS[preset]
    width = shape["width"] if told else shape["width"] * max(1, patch // 2)
    widths, side = [width], -(-size // patch)
    while side > 1.5 * COARSEST:
        widths.append(min(2 * widths[-1], 4 * width))
        side = -(-side // 2)
    chosen = {"kind": kind, "patch": patch, "widths": widths, "depth": shape["depth"]}
    if told:
        places = [-(-size // (patch << level)) for level in range(len(widths))]
        chosen |= {"context_levels": sum(side <= LISTENING for side in places), "position": True}
    return {**chosen, **options}


def prepare(config: ImageConfig, listener: Listener) -> Pictures:
    """Open, measure, group, and build a fresh model for these pictures; the same for the same seed.

    Raises:
        TrainError: fewer than two pictures, or a codec that does not fit.
    """
    store, codec = opened(config.data, listener)
    return prepared_for(config, store, listener, codec)


def opened(data: DataConfig, listener: Listener) -> tuple[PictureStore, CodecModel | None]:
    """The pictures that the settings name, and the codec in whose latents is worked; None for pixels.

    Raises:
        TrainError: fewer than two pictures, or a codec that does not fit.
    """
    if data.codec is None:
        return open_store(data, listener, buckets=data.buckets), None
    if data.flip:
        raise TrainError(
            "data.flip with --codec: latents are made once, and those of a mirrored picture are others. "
            "Leave flip out, or put mirrored copies beside the pictures."
        )
    codec = open_codec(data.codec)
    data = data.model_copy(update=fitted(data, codec, data.codec))
    return open_store(data, listener, buckets=data.buckets), codec


def prepared_for(
    config: ImageConfig,
    store: PictureStore,
    listener: Listener | None = None,
    codec: CodecModel | None = None,
) -> Pictures:
    """The same for pictures that are open already, and a codec that fits them."""
    listener = listener or Silent()
    statistics = measure_pixels(store.images, store.train)
    latents = None if codec is None else encode_store(store, codec, statistics, listener)
    spread, diameter = (statistics if latents is None else latents.codec.latents).extent
    labelled = config.data.classes and store.labels is not None and len(store.classes) > 1
    classes = tuple(store.classes) if labelled else ()
    groups = _groups(config, store, classes)
    schedule = schedule_for(config.schedule, diameter)
    ours = sampling_for(spread, groups is not None, most_noise(schedule, config.train, spread))
    spec = Spec(
        recipe="image",
        network=network_of(config.preset, store, config.network, latents),
        schedule=schedule,
        target=config.target,
        statistics=statistics.to_dict(),
        classes=classes,
        groups=groups.classes if groups else (),
        shares=groups.shares if groups else (),
        sampling=build_part(Sampling, {**ours, **config.sampling}, "sampling"),
        latent=latents.part if latents else {},
        shapes=shapes_of(store),
    )
    for warning in saturation_warnings(statistics):
        listener.say(f"Warning: {warning}")
    torch.manual_seed(derive_seed(config.train.seed, "weights"))
    return Pictures(store, PictureModel(spec), groups.of if groups else None, latents)


def shapes_of(store: PictureStore) -> tuple[Shape, ...]:
    """The shapes that are learned beside the square: those that training pictures have."""
    if store.buckets is None:
        return ()
    found = (store.buckets.shapes[i] for i in np.unique(store.buckets.which[store.train]))
    return tuple(shape for shape in found if shape != (store.size, store.size))


def _groups(config: ImageConfig, store: PictureStore, classes: tuple[str, ...]) -> Groups | None:
    """Groups of look-alikes, as many as were asked for, inside the classes where there are any."""
    wanted = config.data.groups
    if wanted is None:  # labels say more than look-alikes do, and both together learn more slowly
        wanted = 0 if classes else default_groups(len(store.train))
    if not classes and wanted <= 1:
        return None
    labels = store.labels if classes else None
    return find_groups(store.images, labels, store.train, classes=len(classes), wanted=wanted)


def network_of(
    preset: str, store: PictureStore, options: dict[str, Any], latents: Latents | None
) -> dict[str, Any]:
    """The network's options for these pictures, or for their latents; see ``network_for``.

    Where one place of the network stands for many numbers, as it does for folded colours, detail is held up
    (``nets/detail.py``).
    """
    if latents is None:
        shape = network_for(preset, store.size, options)
        patch = shape["patch"]
        many = isinstance(patch, int) and store.channels * patch**2 > FEW  # else the network will refuse it
        return {"detail": DETAIL if many else 0, **shape}
    side = latents.codec.latent[1]
    # latents are folded already: they differ from place to place as pixels never do
    patch = {} if side > WHOLE else {"patch": 1}
    return network_for(preset, side, {**patch, **options})


def schedule_for(options: dict[str, Any], diameter: float) -> dict[str, Any]:
    """The schedule, with a ladder of noise (VE, EDM) that begins where the data's largest distance is.

    From there every picture can be reached from every other (Song & Ermon 2020, arXiv 2006.09011, section 3).
    """
    if options.get("kind") in ("ve", "edm") and "sigma_max" not in options:
        return {**options, "sigma_max": float(f"{max(1.0, diameter):.3g}")}
    return options


def most_noise(schedule: dict[str, Any], train: TrainConfig, spread: float) -> float:
    """The noise level above which nothing should begin: what the schedule has, and training visits.

    The law that follows from the data visits all that is needed; one that was given may not, and above it
    the network has learned nothing: there, steps are wasted at best.
    """
    most = float(schedule.get("sigma_max", math.inf))
    if train.noise_mean is None and train.noise_std is None:
        return most
    mean, std = noise_law(spread)
    mean = mean if train.noise_mean is None else train.noise_mean
    std = std if train.noise_std is None else train.noise_std
    return min(most, max(LEAST_START, math.exp(mean + 2.5 * std)))


def sampling_for(spread: float, steered: bool, most: float = math.inf) -> dict[str, Any]:
    """Sampling settings that suit data of this spread (``PixelStatistics.spread``).

    It starts at ten times the spread, where nothing of the data is left, and takes about one step for each
    factor of 1.9 in noise. The schedule may have no more noise than ``most``. Mild guidance acts only around
    the spread, where it is decided what is drawn.
    """
    start, end = min(1000.0, max(LEAST_START, 10 * spread), most), 0.05
    settings = {"start": round(start, 1), "end": end, "steps": math.ceil(1.6 * math.log(start / end))}
    if steered:
        settings |= {
            "guidance": 1.2,
            "guidance_low": round(spread / 4, 2),
            "guidance_high": round(3 * spread, 1),
        }
    return settings


def settled(config: ImageConfig, prepared: Pictures) -> ImageConfig:
    """The configuration with what follows from the data filled in."""
    mean, std = noise_law(prepared.model.codec.spread)
    law = {"noise_mean": round(mean, 2), "noise_std": round(std, 2)}
    missing = {name: value for name, value in law.items() if getattr(config.train, name) is None}
    return config.model_copy(update={"train": config.train.model_copy(update=missing)})


def default_groups(pictures: int) -> int:
    """As many groups as keep about 40 pictures in each, at most 128."""
    return min(128, pictures // FEWEST)


IMAGE = Recipe(ImageConfig, PRESETS, "pictures", prepare, settled)
