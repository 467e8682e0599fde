import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from unfog.errors import DataError
from unfog.output import containers
from unfog.output.containers import insert_gif, insert_png, png_texts, read_texts
from unfog.output.provenance import Provenance, encode_png, mark_xmp, read_marks, read_provenance

PICTURE = np.zeros((8, 8, 1), np.uint8)


def put(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    return path


def gif(frames=1):
    buffer = io.BytesIO()
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    others = [Image.fromarray(np.full((8, 8), 9 * n, np.uint8)) for n in range(1, frames)]
    image.save(buffer, "GIF", save_all=True, append_images=others)
    return buffer.getvalue()


def test_texts_of_any_script(tmp_path):
    data = insert_png(encode_png(PICTURE), png_texts({"a": "café", "b": "猫\x00🐈", "c": "\ud800"}, b"<x/>"))
    found = read_texts(put(tmp_path, data))
    assert found.named == {"a": "café", "b": "猫 🐈", "c": "?"}
    assert (found.format, found.xmp) == ("png", "<x/>")


def test_first_of_several_wins_and_bad_checks_do_not_count(tmp_path):
    data = insert_png(encode_png(PICTURE), [(b"tEXt", b"k\x00one"), (b"tEXt", b"k\x00two")])
    assert read_texts(put(tmp_path, data)).named == {"k": "one"}
    assert read_texts(put(tmp_path, data.replace(b"one", b"ONE"))).named == {"k": "two"}


def test_text_after_the_pixels_is_found(tmp_path):
    data = encode_png(PICTURE)
    chunks = insert_png(b"\x00" * 33, [(b"tEXt", b"k\x00late")])[33:]
    assert read_texts(put(tmp_path, data[:-12] + chunks + data[-12:])).named == {"k": "late"}


def test_bombs_and_giants_are_skipped(tmp_path):
    bomb = zlib.compress(b"A" * 50_000_000, 9)
    chunks = [
        (b"zTXt", b"unfog\x00\x00" + bomb),
        (b"iTXt", b"unfog\x00\x01\x00\x00\x00" + bomb),
        (b"tEXt", b"huge\x00" + b"A" * (containers.MAX_TEXT + 1)),
        *[(b"tEXt", b"k%d\x00" % n + b"A" * 900_000) for n in range(10)],
        (b"tEXt", b"small\x00ok"),
    ]
    path = put(tmp_path, insert_png(encode_png(PICTURE), chunks))
    tracemalloc.start()
    found = read_texts(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "huge" not in found.named and "unfog" not in found.named and found.named["small"] == "ok"
    assert sum(map(len, found.named.values())) <= containers.MAX_TOTAL
    assert peak < 20 << 20
    assert read_provenance(path) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 0x7FFFFFFF, b"tEXt"),
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 0xFFFFFFFF, b"IDAT"),
        b"\x89PNG\r\n\x1a\n" + (struct.pack(">I4s", 0, b"abcd") + b"\x00" * 4) * 150_000,
        b"RIFF\xff\xff\xff\xffWEBP" + b"XMP \xff\xff\xff\xff",
        b"RIFF\x00\x00\x00\x00WEBPXMP \x10\x00\x00\x00short",
        b"GIF89a" + b"\x00" * 4 + b"\xff\x00\x00",
        b"GIF89a" + b"\x00" * 7 + b"\x21\xff\x0bXMP DataXMP no end",
        b"GIF89a" + b"\x00" * 7 + b"\x21\xff",
        b"GIF89a" + b"\x00" * 7 + b"\x2c",
    ],
)
def test_broken_structures_end_quietly(tmp_path, data):
    assert not read_texts(put(tmp_path, data)).named


@given(
    start=st.sampled_from([b"\x89PNG\r\n\x1a\n", b"RIFF\x10\x00\x00\x00WEBP", b"GIF89a", b""]),
    rest=st.binary(max_size=400),
)
def test_any_bytes_are_survived(tmp_path_factory, start, rest):
    path = put(tmp_path_factory.mktemp("f"), start + rest)
    read_texts(path)
    read_marks(path)


@given(data=st.data())
def test_damaged_files_never_crash(tmp_path_factory, data):
    good = bytearray(encode_png(PICTURE, Provenance(prompt="x")))
    for _ in range(data.draw(st.integers(1, 5))):
        good[data.draw(st.integers(8, len(good) - 1))] = data.draw(st.integers(0, 255))
    path = put(tmp_path_factory.mktemp("f"), bytes(good[: data.draw(st.integers(9, len(good)))]))
    try:
        found = read_provenance(path)
    except DataError:
        return
    assert found is None or found == Provenance(prompt="x")


@pytest.mark.parametrize("frames", [1, 3])
def test_gif_carries_xmp_and_still_opens(tmp_path, frames):
    entry = Provenance(prompt="猫 ]]>", seed=2)
    path = put(tmp_path, insert_gif(gif(frames), mark_xmp(entry, PICTURE)))
    assert read_provenance(path) == entry
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == frames
        assert image.info["extension"][0] == b"XMP DataXMP"
        image.seek(frames - 1)
        image.load()
