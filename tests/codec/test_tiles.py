"""A picture in tiles is the whole picture, as far as no attention looks further."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from tests.given import enliven
from unfog.codec.tiles import in_tiles, tiles_of
from unfog.nets.autoencoder import Autoencoder, AutoencoderConfig


def test_tiles_own_every_place_once() -> None:
    owned = torch.zeros(10, 7)
    for tile in tiles_of(10, 7, size=4, rim=2):
        (top, bottom), (left, right) = tile.core_rows, tile.core_columns
        owned[top:bottom, left:right] += 1
        assert tile.rows[0] == max(0, top - 2) and tile.columns[1] == min(7, right + 2)
    assert bool((owned == 1).all())


@pytest.mark.parametrize(("attention", "tolerance"), [(False, 1e-4), (True, 2.0)])
def test_tiles_are_the_whole(attention: bool, tolerance: float) -> None:
    torch.manual_seed(0)
    config = AutoencoderConfig(patch=2, widths=(8, 16), channels=1, attention=attention)
    network = Autoencoder(config).eval()
    enliven(network, 0.1)
    rim, x = config.reach + 2, torch.rand(1, 1, 160, 96) * 2 - 1
    with torch.no_grad():
        z = network.encode(x)
        again = network.decode(z)
    apart = []
    for method, given, whole, scale in (("encode", x, z, 0.25), ("decode", z, again, 4)):
        size, edge = (round(each * (4 if method == "encode" else 1)) for each in (16, rim))
        apart.append(float((in_tiles(network, method, given, size, edge, scale) - whole).abs().max()))
    assert max(apart) < tolerance
    assert attention or not any(norm._forward_hooks for norm in network.modules())


def test_the_longer_the_rim_the_nearer_to_the_whole() -> None:
    """With a rim that is too short, tiles differ, the less the longer it is."""
    torch.manual_seed(0)
    network = Autoencoder(AutoencoderConfig(patch=2, widths=(16,), channels=1)).eval()
    enliven(network, 0.05)
    z = torch.randn(1, 4, 32, 32)
    with torch.no_grad():
        whole = network.decode(z)
    short, long = (float((in_tiles(network, "decode", z, 8, rim, 2) - whole).abs().mean()) for rim in (2, 6))
    assert long < short < float(whole.abs().mean())


def test_a_small_picture_is_one_tile() -> None:
    network = Autoencoder(AutoencoderConfig(patch=2, widths=(8,), channels=1))
    x = torch.rand(1, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(in_tiles(network, "encode", x, 8, 4, 0.5), network.encode(x))
    assert len(list(product(*(range(2),) * 2))) == len(tiles_of(16, 16, 8, 1))
