"""Latents on disk: encoded once, checked, and made again when damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.given import pictures
from unfog.codec.latent_cache import latents_folder, open_latents
from unfog.data import cache as caches
from unfog.data.buckets import Buckets
from unfog.errors import DataError

IMAGES = pictures(150, size=8, channels=3)


class Counting:
    """A codec that halves the side, and counts."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, raw: Tensor) -> Tensor:
        self.seen += len(raw)
        return raw[:, :, ::2, ::2].float() / 100


def test_once_encoded_always_there(tmp_path: Path) -> None:
    compress, told = Counting(), list[tuple[int, int]]()
    found = open_latents(
        IMAGES, "d", compress, "c", cache=tmp_path, progress=lambda a, b: told.append((a, b))
    )
    assert found.dtype == np.float16 and found.shape == (150, 4, 4, 3) and not found.flags.writeable
    np.testing.assert_allclose(found, IMAGES[:, ::2, ::2] / 100, rtol=1e-3)
    assert told[-1] == (150, 150) and compress.seen == 150
    again = open_latents(IMAGES, "d", compress, "c", cache=tmp_path)
    assert compress.seen == 150 and np.array_equal(again, found)
    for other in (("other", "c"), ("d", "other")):
        open_latents(IMAGES, other[0], compress, other[1], cache=tmp_path)
    assert compress.seen == 450


def test_pictures_of_several_shapes_are_encoded_each_at_its_own(tmp_path: Path) -> None:
    rng, which = np.random.default_rng(0), np.array([1, 0, 2, 1, 0, 1])
    rows = rng.integers(0, 256, (6, 8 * 8 * 3)).astype(np.uint8)
    buckets, compress = Buckets(rows, which, ((6, 10), (10, 6), (8, 8)), 3), Counting()
    found = open_latents(buckets, "d", compress, "c", cache=tmp_path)
    assert found.shape == (6, 4 * 4 * 3) and compress.seen == 6
    latents = Buckets(found, which, ((3, 5), (5, 3), (4, 4)), 3)
    for number in range(6):
        (picture,), (latent,) = (each.pictures(np.array([number])) for each in (buckets, latents))
        np.testing.assert_allclose(latent, picture[::2, ::2] / 100, rtol=1e-3)
    open_latents(buckets, "d", compress, "c", cache=tmp_path)
    assert compress.seen == 6
    squares = rows.reshape(6, 8, 8, 3)
    assert open_latents(squares, "d", compress, "c", cache=tmp_path).shape == (6, 4, 4, 3)


@pytest.mark.parametrize("harm", ["a value", "half", "no manifest", "nonsense", "another kind"])
@pytest.mark.parametrize("full", [True, False])
def test_damage_is_found_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str, full: bool
) -> None:
    if not full:
        monkeypatch.setattr(caches, "FULL_CHECK", 0)
    said, compress = list[str](), Counting()
    first = np.array(open_latents(IMAGES, "d", compress, "c", cache=tmp_path, say=said.append))
    folder = latents_folder(IMAGES.shape, "d", "c", tmp_path)
    path, manifest = folder / "latents.npy", folder / "manifest.json"
    whole = path.read_bytes()
    if harm == "a value":
        path.write_bytes(whole[:-7] + bytes([whole[-7] ^ 1]) + whole[-6:])
    elif harm == "half":
        path.write_bytes(whole[: len(whole) // 2])
    elif harm == "no manifest":
        manifest.unlink()
    elif harm == "nonsense":
        manifest.write_text("{")
    else:
        np.save(path, np.zeros(IMAGES.shape, np.float32))
    again = open_latents(IMAGES, "d", compress, "c", cache=tmp_path, say=said.append)
    assert np.array_equal(again, first) and compress.seen == 300
    assert len(said) == 1 and "made again" in said[0]


def test_a_broken_codec_leaves_nothing(tmp_path: Path) -> None:
    def broken(raw: Tensor) -> Tensor:
        return torch.full((len(raw), 1, 2, 2), 1e6)

    with pytest.raises(DataError, match="65,504"):
        open_latents(IMAGES, "d", broken, "c", cache=tmp_path)
    assert not latents_folder(IMAGES.shape, "d", "c", tmp_path).exists()
    with pytest.raises(DataError, match="no picture"):
        open_latents(IMAGES[:0], "d", Counting(), "c", cache=tmp_path)
