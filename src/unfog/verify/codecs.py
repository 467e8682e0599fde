"""Learned codecs against closed forms: nats, codes, normalisation, tiles, and decibels."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch

from unfog.codec.latent import LatentCodec, LatentStatistics, measure_latents
from unfog.codec.pixels import measure_pixels
from unfog.evaluate.reconstruction import psnr
from unfog.nets.autoencoder import KINDS, AutoencoderConfig, kl_divergence
from unfog.nets.quantise import FiniteQuantiser, VectorQuantiser, perplexity
from unfog.rng import Noise
from unfog.verify.check import Result, error


def nats_of_latents() -> Iterator[Result]:
    """The divergence from a standard normal, and that it is 0 for one."""
    mean, std = torch.tensor([0.0, 1.0, -2.0, 0.5]), torch.tensor([1.0, 1.0, 0.5, 3.0])
    wanted = 0.5 * (mean**2 + std**2 - 1) - std.log()
    found = kl_divergence(mean.view(4, 1, 1, 1), 2 * std.log().view(4, 1, 1, 1))
    yield error("one number at a time", found, wanted, 1e-6)


def codes_are_the_nearest() -> Iterator[Result]:
    """Against all distances, and against the places of a grid."""
    z, quantiser = Noise(0).normal((2, 3, 4, 4)), VectorQuantiser(11, 3)
    quantiser.codebook.data = Noise(1).normal((11, 3))
    rows = z.permute(0, 2, 3, 1).reshape(-1, 3)
    nearest = quantiser.codebook[torch.cdist(rows, quantiser.codebook).argmin(1)]
    found = quantiser(z).permute(0, 2, 3, 1).reshape(-1, 3)
    yield error("vectors", found.detach(), nearest.detach(), 1e-6)
    levels = (3, 4, 5)
    grid = FiniteQuantiser(levels)
    places = torch.stack([torch.arange(60) % level for level in levels]).float()[None, :, :, None]
    exact = (places + grid.low) / grid.unit
    yield error("places", grid(exact + 0.2 / grid.unit), exact, 1e-6)
    yield error(
        "as many letters", torch.tensor(perplexity(grid.indices(exact), 60)[0]), torch.tensor(60.0), 1e-3
    )


def latents_are_normal() -> Iterator[Result]:
    """x has mean 0 and deviation 1, its limits are reached, and tiles are the whole, for every kind."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8, 4, 4, 1), np.uint8).repeat(8, 1).repeat(8, 2)
    raw = torch.from_numpy(images).permute(0, 3, 1, 2)
    for kind in KINDS:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            shape = AutoencoderConfig(channels=1, patch=2, widths=(8, 8), kind=kind, codes=8)
            codec = LatentCodec(measure_pixels(images), LatentStatistics.of_nothing((4, 8, 8)), shape).eval()
        kept = codec.compress(raw)
        codec.remeasure(codec.statistics, measure_latents(kept.permute(0, 2, 3, 1).numpy()))
        x = codec.encode(raw)
        yield error(f"{kind}, mean", x.mean((0, 2, 3)), torch.zeros(4), 1e-3)
        yield error(f"{kind}, deviation", x.std((0, 2, 3), correction=0), torch.ones(4), 1e-3)
        yield error(f"{kind}, limit", x.amax((0, 2, 3)), codec.limits()[1].flatten(), 1e-3)
        tiles = codec.encode_in_tiles(raw[:1] / 127.5 - 1, 16)
        yield error(f"{kind}, tiles", tiles, kept[:1], 1e-4)


def decibels_are_decibels() -> Iterator[Result]:
    """An error of one grey level everywhere, and of ten."""
    black = np.zeros((1, 4, 4, 3), np.uint8)
    for size in (1, 10):
        found = psnr(black, black + np.uint8(size))
        wanted = torch.tensor([20 * math.log10(255 / size)], dtype=torch.float64)
        yield error(f"{size} grey levels", torch.from_numpy(found), wanted, 1e-9)
