import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfog.data import cache as caches
from unfog.errors import DataError


@given(st.integers(0, 5), st.integers(1, 9), st.sampled_from([1, 3]))
def test_the_writer_makes_plain_npy_files(tmp_path_factory, count, side, channels):
    path = tmp_path_factory.mktemp("npy") / "images.npy"
    pixels = np.random.default_rng(0).integers(0, 256, (count, side, side, channels), np.uint8)
    writer = caches.PixelWriter(path, side, side, channels)
    for picture in pixels[: count // 2]:
        writer.write(picture)
    writer.write(pixels[count // 2 :])
    writer.close()
    if count:
        assert np.array_equal(np.load(path, mmap_mode="r", allow_pickle=False), pixels)
    assert np.array_equal(np.load(path, allow_pickle=False), pixels)


def test_where_caches_lie(monkeypatch, tmp_path):
    monkeypatch.setenv("UNFOG_CACHE", str(tmp_path / "own"))
    assert caches.cache_folder() == tmp_path / "own"
    assert caches.cache_folder(tmp_path) == tmp_path
    monkeypatch.delenv("UNFOG_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert caches.cache_folder() == tmp_path / "unfog"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the standard says: ignore it
    assert caches.cache_folder().name == "unfog" and caches.cache_folder().parent.name == ".cache"


def test_nothing_half_built_is_ever_in_place(tmp_path):
    final = tmp_path / "set"
    with pytest.raises(KeyboardInterrupt), caches.workplace(final) as temp:
        (temp / "half").write_bytes(b"1")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_complete_folder_takes_the_place_of_an_old_one(tmp_path):
    final = tmp_path / "set"
    for text in ("old", "new"):
        with caches.workplace(final) as temp:
            (temp / "file").write_text(text)
    assert (final / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_full_disk_is_said_in_words(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer = caches.PixelWriter(tmp_path / "images.npy", 4, 4, 1)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"No space left on device.*\n.*UNFOG_CACHE"):
        writer.close()
    with pytest.raises(DataError, match="No space left"):
        caches.save_array(tmp_path, "a.npy", np.zeros(3))


def test_a_cache_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written"), caches.workplace(tmp_path / "file" / "set"):
        pass


def manifest():
    return caches.Manifest(
        shape=(2, 4, 4, 1),
        names=("a", "名字 \udcff"),
        captions=(("x", "y"), ()),
        classes=("c",),
        skipped=(("b", "empty file"),),
        notes=(),
        duplicates=0,
        pixels="",
        spot="",
        digest="",
        arrays={},
    )


def test_a_manifest_comes_back_as_it_was():
    assert caches.Manifest.from_json(manifest().to_json()) == manifest()


@pytest.mark.parametrize(
    "damage", [lambda t: t[:-9], lambda t: t.replace('"c"', '"d"'), lambda t: "[]", lambda t: "{}"]
)
def test_a_damaged_manifest_is_known(damage):
    with pytest.raises(caches.Stale, match="damaged"):
        caches.Manifest.from_json(damage(manifest().to_json()))


def test_another_version_is_not_used():
    outer = json.loads(manifest().to_json())
    outer["version"] = 0
    with pytest.raises(caches.Stale, match="version"):
        caches.Manifest.from_json(json.dumps(outer))


def test_the_spot_digest_sees_length_start_end_and_places_between(tmp_path):
    path = tmp_path / "big"
    path.write_bytes(bytes(9_000_000))
    clean = caches.spot_digest(path)
    for place in (0, 4_500_000, 8_999_999):
        with path.open("r+b") as file:
            file.seek(place - place % 4096 if place == 4_500_000 else place)
            file.write(b"x" * (200_000 if place == 4_500_000 else 1))
        assert caches.spot_digest(path) != clean
        path.write_bytes(bytes(9_000_000))
    path.write_bytes(bytes(8_999_999))
    assert caches.spot_digest(path) != clean


def test_a_lock_keeps_a_second_process_waiting(tmp_path):
    path = tmp_path / "x.lock"
    code = (
        "import sys, fcntl; f = open(sys.argv[1], 'w')\n"
        "try: fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB); print('free')\n"
        "except OSError: print('held')"
    )

    def other():
        return subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True
        ).stdout.strip()

    with caches.lock(path) as held:
        assert held
        assert other() == "held"
    assert other() == "free"
