"""Aspect buckets: shapes of about one area, the nearest for each picture, and pictures kept as they are."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from unfog.data import open_pictures
from unfog.data.buckets import WIDEST, nearest_shape, shapes_for
from unfog.data.decode import decode_picture


@given(size=st.integers(1, 300))
def test_shapes_have_about_one_area_and_come_in_pairs(size: int) -> None:
    shapes = shapes_for(size)
    assert (size, size) in shapes and len(set(shapes)) == len(shapes)
    for height, width in shapes:
        assert height * width <= size * size and 1 / WIDEST <= height / width <= WIDEST
        assert (width, height) in shapes
        assert height * width > 0.8 * size * size


@pytest.mark.parametrize("size", [32, 48, 64, 128])
def test_sides_can_be_halved_three_times(size: int) -> None:
    assert len(shapes_for(size)) >= 3 and not any(side % 8 for shape in shapes_for(size) for side in shape)


@given(height=st.integers(1, 400), width=st.integers(1, 400), size=st.sampled_from([16, 32, 64, 96]))
def test_no_shape_cuts_less_away_than_the_nearest(height: int, width: int, size: int) -> None:
    def kept(shape: tuple[int, int]) -> float:
        ratio = min(height / shape[0], width / shape[1])
        return ratio * ratio * shape[0] * shape[1] / (height * width)

    shapes = shapes_for(size)
    best = kept(shapes[nearest_shape(height, width, shapes)])
    assert math.isclose(best, max(map(kept, shapes)), rel_tol=1e-9)


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_turned_picture_gets_the_shape_it_has_upright(turn: int) -> None:
    from PIL import ImageOps

    rng = np.random.default_rng(turn)
    im = Image.fromarray(rng.integers(0, 256, (48, 80, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = turn
    buffer = io.BytesIO()
    im.save(buffer, "PNG", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(buffer.getvalue()))))
    assert np.array_equal(decode_picture(buffer.getvalue(), shapes_for(64)), upright)


def test_whole_ratios_are_exact_means_of_the_middle() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (72, 160, 3)).astype(np.uint8)
    small = decode_picture(pixels, [(24, 40)])
    middle = pixels[:, 20:140].reshape(24, 3, 40, 3, 3).mean((1, 3))
    assert abs(small - middle).max() <= 1


def write(folder: Path, shapes: dict[str, tuple[int, int]], *, grey: bool = False) -> Path:
    folder.mkdir()
    for number, (name, (height, width)) in enumerate(shapes.items()):
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
        pixels = np.repeat(pixels[..., :1], 3, 2) if grey else pixels
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


SHAPES = {"a": (24, 40), "b": (40, 24), "c": (32, 32), "d": (24, 40), "e": (300, 100)}


@pytest.mark.parametrize("grey", [False, True])
def test_pictures_come_back_from_their_buckets(tmp_path: Path, grey: bool) -> None:
    folder = write(tmp_path / "data", SHAPES, grey=grey)
    store = open_pictures(folder, size=32, buckets=True)
    buckets, channels = store.buckets, 1 if grey else 3
    assert buckets is not None and store.images.shape == (5, 32, 32, channels)
    assert buckets.counts() == {"of 24 x 40": 2, "of 32 x 32": 1, "of 40 x 24": 2}
    assert "at their own shapes: 2 of 24 x 40, 1 of 32 x 32, 2 of 40 x 24" in store.summary()
    both = buckets.pictures(np.array([0, 3]))
    for name, pixels in zip("ad", both, strict=True):
        assert np.array_equal(pixels, np.asarray(Image.open(folder / f"{name}.png"))[..., :channels])
    assert buckets.pictures(np.array([4])).shape == (1, 40, 24, channels)
    plain = open_pictures(folder, size=32)
    assert plain.buckets is None and plain.digest != store.digest
    assert np.array_equal(plain.images, store.images)


def test_damage_is_noticed_and_made_good(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", SHAPES)
    first = open_pictures(folder, size=32, buckets=True, cache=tmp_path / "cache")
    (file,) = (tmp_path / "cache").rglob("buckets.npy")
    raw = bytearray(file.read_bytes())
    raw[-100] ^= 1
    file.write_bytes(raw)
    again = open_pictures(folder, size=32, buckets=True, cache=tmp_path / "cache")
    assert any("made again" in note for note in again.notes) and again.digest == first.digest
