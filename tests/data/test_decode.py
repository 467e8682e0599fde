import io
import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from unfog.data import decode
from unfog.data.decode import decode_picture, read_header
from unfog.errors import DataError

MODES = [
    "1",
    "L",
    "LA",
    "P",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "F",
    "I;16",
    "PA",
    "RGBX",
    "La",
    "RGBa",
]
PNG_MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]


def as_bytes(im, kind="PNG", **how):
    file = io.BytesIO()
    im.save(file, kind, **how)
    return file.getvalue()


def of_mode(mode, width, height):
    if mode in {"La", "RGBa"}:
        return Image.new({"La": "LA", "RGBa": "RGBA"}[mode], (width, height), 100).convert(mode)
    if mode == "I;16":
        return Image.fromarray(np.full((height, width), 30000, np.uint16))
    if mode == "LAB":
        return Image.new("LAB", (width, height), (128, 128, 128))
    return (
        Image.new("RGB", (width, height), (10, 200, 90))
        .convert("L" if mode == "I;16" else "RGB")
        .convert(mode)
    )


@given(
    mode=st.sampled_from(MODES),
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    size=st.integers(1, 40),
    channels=st.sampled_from([1, 3]),
)
def test_any_mode_and_size_gives_the_shape_asked_for(mode, width, height, size, channels):
    im = of_mode(mode, width, height)
    pixels = decode._finish(im, 1, (size, size), channels, 255)
    assert pixels.shape == (size, size, channels)
    assert pixels.dtype == np.uint8


@given(
    kind=st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"]),
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    channels=st.sampled_from([1, 3]),
)
def test_any_format_gives_the_shape_asked_for(kind, width, height, channels):
    raw = as_bytes(of_mode("RGB", width, height), kind)
    header = read_header(raw)
    assert (header.width, header.height) == (width, height)
    assert decode_picture(raw, 16, channels).shape == (16, 16, channels)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_picture_or_a_reason(raw):
    try:
        decode_picture(raw, 8)
    except DataError as error:
        assert str(error)


@given(
    st.integers(0, 400),
    st.binary(min_size=1, max_size=3),
    st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF"]),
)
def test_damaged_files_give_a_picture_or_a_reason(place, junk, kind):
    raw = bytearray(as_bytes(of_mode("RGB", 20, 20), kind))
    raw[place : place + len(junk)] = junk
    try:
        with decode.quiet():
            assert decode_picture(bytes(raw), 8).shape == (8, 8, 3)
    except DataError as error:
        assert str(error)


@given(
    st.sampled_from([np.uint8, np.uint16, np.int32, np.float32, np.float64, np.bool_]),
    st.sampled_from([(5, 9), (9, 5, 1), (6, 6, 3), (7, 6, 4), (6, 7, 2)]),
    st.sampled_from([1, 3]),
)
def test_any_array_gives_the_shape_asked_for(kind, shape, channels):
    values = np.random.default_rng(0).uniform(-3, 900, shape).astype(kind)
    if shape[-1] == 3 or len(shape) == 2 or kind == np.uint8:
        assert decode_picture(values, 4, channels).shape == (4, 4, channels)


def test_a_whole_ratio_is_the_exact_area_mean(picture):
    grey = np.random.default_rng(0).integers(0, 256, (56, 56), np.uint8)
    got = decode_picture(as_bytes(Image.fromarray(grey)), 28, 1)[..., 0]
    mean = grey.reshape(28, 2, 28, 2).mean((1, 3))
    assert np.abs(got - mean).max() <= 0.5


def test_the_size_itself_changes_nothing():
    grey = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    assert np.array_equal(decode_picture(as_bytes(Image.fromarray(grey)), 28, 1)[..., 0], grey)


def test_cut_to_the_centre():
    pixels = np.zeros((10, 30), np.uint8)
    pixels[:, 10:20] = 255
    assert (decode_picture(as_bytes(Image.fromarray(pixels)), 10, 1) == 255).all()
    assert (decode_picture(as_bytes(Image.fromarray(pixels.T.copy())), 10, 1) == 255).all()


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_turns_the_picture_upright_as_pillow_does(turn, picture):
    from PIL import ImageOps

    im = picture(32, 32)
    exif = Image.Exif()
    exif[0x0112] = turn
    raw = as_bytes(im, "PNG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(raw)))
    assert np.array_equal(decode_picture(raw, 32), np.asarray(upright))


def test_a_damaged_exif_block_does_no_harm(picture):
    raw = as_bytes(picture(32, 32), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\xff\xff")
    with decode.quiet():
        assert decode_picture(raw, 16).shape == (16, 16, 3)


@pytest.mark.parametrize("ground", [255, 0, 128])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_shows_the_ground(mode, ground):
    im = Image.new(mode, (64, 64), (0,) * len(mode))
    assert (decode_picture(as_bytes(im), 16, 3, (ground, 0, ground)) == (ground, 0, ground)).all()
    luma = 0.299 * ground + 0.114 * ground
    assert (abs(decode_picture(as_bytes(im), 16, 1, (ground, 0, ground)) - luma) < 1).all()


def test_half_transparent_is_mixed_and_hidden_colour_does_not_bleed():
    im = Image.new("RGBA", (64, 64), (255, 0, 0, 0))  # red that nobody can see
    im.paste((0, 0, 0, 128), (0, 0, 64, 64))
    assert abs(int(decode_picture(as_bytes(im), 16)[0, 0, 0]) - 127) <= 1
    half = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    half.paste((0, 0, 255, 255), (0, 0, 32, 64))
    small = decode_picture(as_bytes(half), 5)  # the middle column is half blue, half nothing
    assert abs(int(small[2, 2, 0]) - int(small[2, 2, 1])) <= 1
    assert small[2, 2, 2] == 255


def test_palette_with_a_transparent_colour():
    im = Image.new("P", (20, 20), 0)
    im.putpalette([200, 30, 30, 10, 10, 250])
    im.paste(1, (0, 0, 10, 20))
    pixels = decode_picture(as_bytes(im, "PNG", transparency=0), 20)
    assert tuple(pixels[0, 0]) == (10, 10, 250)
    assert tuple(pixels[0, 19]) == (255, 255, 255)


def test_grey_png_with_a_transparent_level():
    im = Image.new("L", (8, 8), 7)
    assert (decode_picture(as_bytes(im, "PNG", transparency=7), 8, 1) == 255).all()


def test_sixteen_bits_are_scaled_not_clipped():
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    for kind in ("PNG", "TIFF"):
        pixels = decode_picture(as_bytes(Image.fromarray(ramp), kind), 64, 1)
        assert np.abs(pixels[..., 0] - ramp / 257).max() <= 0.5


def test_floats_and_wide_integers():
    unit = Image.fromarray(np.full((8, 8), 0.5, np.float32))
    assert abs(int(decode_picture(as_bytes(unit, "TIFF"), 8, 1)[0, 0, 0]) - 127.5) <= 0.5
    bytes_ = Image.fromarray(np.full((8, 8), 200.0, np.float32))
    assert decode_picture(as_bytes(bytes_, "TIFF"), 8, 1)[0, 0, 0] == 200
    wide = np.linspace(-5, 5, 64, dtype=np.float32).reshape(8, 8)
    pixels = decode_picture(as_bytes(Image.fromarray(wide), "TIFF"), 8, 1)
    assert (pixels.min(), pixels.max()) == (0, 255)
    broken = wide.copy()
    broken[0, 0], broken[1, 1] = np.nan, np.inf
    assert decode_picture(as_bytes(Image.fromarray(broken), "TIFF"), 8, 1).max() == 255
    assert decode_picture(np.full((4, 4), 1000, np.int32), 4, 1)[0, 0, 0] == 4
    assert decode_picture(np.full((4, 4), 100, np.int32), 4, 1)[0, 0, 0] == 100


def test_cmyk_and_lab_have_their_colours():
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert tuple(decode_picture(as_bytes(red, "TIFF"), 8)[0, 0]) == (255, 0, 0)
    assert decode_picture(as_bytes(red, "JPEG"), 8)[0, 0, 0] > 240
    white = Image.new("LAB", (16, 16), (255, 128, 128))
    assert decode_picture(as_bytes(white, "TIFF"), 8).min() > 245


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_animated_files_give_their_first_frame(kind):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    raw = as_bytes(frames[0], kind, save_all=True, append_images=frames[1:])
    pixel = decode_picture(raw, 16)[8, 8].astype(int)
    assert pixel[0] > 240 and pixel[1] < 15 and pixel[2] < 15


def test_jpeg_shrunk_while_decoding_looks_the_same(picture):
    raw = as_bytes(picture(800, 600), "JPEG", quality=95)
    full = Image.open(io.BytesIO(raw)).convert("RGB").crop((100, 0, 700, 600))
    exact = np.asarray(full.resize((32, 32), Image.Resampling.HAMMING)).astype(int)
    assert np.abs(decode_picture(raw, 32) - exact).mean() < 2


def test_one_pixel(picture):
    raw = as_bytes(Image.new("RGB", (1, 1), (9, 8, 7)))
    assert (decode_picture(raw, 8) == (9, 8, 7)).all()


def test_twenty_thousand_pixels_wide_is_no_bomb():
    raw = as_bytes(Image.new("L", (20_000, 300), 77))
    assert (decode_picture(raw, 28, 1) == 77).all()


@pytest.mark.parametrize("side", [14_000, 60_000])
def test_a_bomb_is_refused_by_its_header(side, monkeypatch, bomb):
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    with decode.quiet(), pytest.raises(DataError, match="million pixels"):
        read_header(bomb(side, side))


def test_no_warning_leaves_the_room_for_large_pictures(recwarn, bomb):
    with decode.quiet():
        assert read_header(bomb(12_000, 12_000)).width == 12_000
    assert not recwarn


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty file"),
        (b"hello, this is text", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "damaged or incomplete"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture"),
    ],
)
def test_reasons(raw, reason):
    with pytest.raises(DataError, match=reason):
        read_header(raw)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_truncated_files_are_named_so(kind, picture):
    raw = as_bytes(picture(64, 64).effect_spread(20), kind)
    with pytest.raises(DataError, match="damaged or incomplete"):
        decode_picture(raw[: len(raw) // 2], 16)


def test_paths_and_missing_files(tmp_path, picture):
    path = tmp_path / "名 字.png"
    picture(20, 20).save(path)
    assert decode_picture(path, 20).shape == (20, 20, 3)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_header(tmp_path / "none.png")


def test_grey_is_known_from_the_header(picture):
    assert read_header(as_bytes(picture(8, 8, "L"))).grey
    assert read_header(as_bytes(picture(8, 8, "L").convert("P"))).grey
    assert not read_header(as_bytes(picture(8, 8, "P"))).grey
    assert not read_header(as_bytes(picture(8, 8))).grey
    assert read_header(np.zeros((4, 6, 1), np.uint8)).grey
    assert read_header(np.zeros((4, 6), np.uint8)).short == 4


@pytest.mark.parametrize("values", [np.zeros(4), np.zeros((2, 2, 5)), np.zeros((0, 3)), np.array([["a"]])])
def test_arrays_that_are_no_pictures(values):
    with pytest.raises(DataError, match="not a picture"):
        decode_picture(values, 4)


def test_pillow_says_nothing_on_the_screen(capfd):
    with decode.quiet():
        logging.getLogger("PIL.TiffImagePlugin").error("more samples per pixel than can be decoded")
    assert capfd.readouterr().err == ""
    assert not logging.getLogger("PIL").handlers
