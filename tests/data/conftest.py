"""Pictures to test with, and a cache of its own for every test."""

import io
import json
import struct
import sys
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("UNFOG_CACHE", str(folder))
    return folder


def noise_picture(width=32, height=32, mode="RGB", seed=0):
    """Blocks of random colour, as a Pillow image of any mode that Pillow can convert to."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.NEAREST).convert(mode)


@pytest.fixture
def picture():
    return noise_picture


@pytest.fixture
def encoded():
    """The bytes of a picture file."""

    def encode(kind="PNG", *args, **kwargs):
        file = io.BytesIO()
        noise_picture(*args, **kwargs).save(file, kind)
        return file.getvalue()

    return encode


@pytest.fixture
def pets(tmp_path):
    """A folder with two classes, five pictures each, all different."""
    root = tmp_path / "pets"
    for label, name in enumerate(("cats", "dogs")):
        for index in range(5):
            path = root / name / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise_picture(40, 32, seed=10 * label + index).save(path)
    return root


@pytest.fixture
def count_decodes(monkeypatch):
    """How often pictures were decoded while building caches."""
    from unfog.data import build

    calls = []
    real = build.decode_picture

    def counted(*args, **kwargs):
        calls.append(args)
        return real(*args, **kwargs)

    monkeypatch.setattr(build, "decode_picture", counted)
    return calls


def write(path: Path, raw: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return path


@pytest.fixture
def put():
    return write


def png_header(width, height):
    """A PNG that claims a size and holds nothing: all that a bomb needs."""
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + body
    end = b"IEND"
    parts = (struct.pack(">I", 13), chunk, struct.pack(">I", zlib.crc32(chunk)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + bytes(4) + end + struct.pack(">I", zlib.crc32(end))


@pytest.fixture
def bomb():
    return png_header


def program(folder, name, text):
    """A fake package client."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path


@pytest.fixture
def clients(tmp_path, monkeypatch):
    """A PATH with nothing on it but the programs that a test puts there: ``clients(name, python_code)``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return lambda name, text: program(folder, name, text)


def tgz(path, files):
    with tarfile.open(path, "w:gz") as out:
        for name, raw in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            out.addfile(info, io.BytesIO(raw))
    return path


@pytest.fixture
def emoji_packages(tmp_path, encoded):
    """Both packages of the emoji, with four pictures: (art, words)."""
    words = {
        "en/data.json": [
            {"label": "red apple", "hexcode": "1F34E", "group": 4},
            {
                "label": "waving hand",
                "hexcode": "1F44B",
                "group": 1,
                "skins": [{"label": "waving hand: dark skin tone", "hexcode": "1F44B-1F3FF"}],
            },
        ],
        "zh/data.json": [{"label": "红苹果", "hexcode": "1F34E"}],
        "meta/groups.json": {"groups": {"1": "people-body", "4": "food-drink"}},
    }
    art = {
        f"package/assets/{name}.webp": encoded("WEBP", seed=i)
        for i, name in enumerate(("1f34e", "1f44b", "1f44b-1f3ff", "ffff"))
    }
    art |= {"package/assets/../../evil.webp": b"x", "package/package.json": b"{}"}
    return (
        tgz(tmp_path / "lobehub-a.tgz", art),
        tgz(
            tmp_path / "emojibase-b.tgz",
            {f"package/{name}": json.dumps(data).encode() for name, data in words.items()},
        ),
    )
