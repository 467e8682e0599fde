import gzip
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tarfile
from hashlib import sha256

import numpy as np
import pytest

from unfog.data import emoji, fashion, fetch
from unfog.data.build import build
from unfog.data.cache import cache_folder
from unfog.data.named import NAMED, NamedReader, get, list_sets
from unfog.data.reader import Options
from unfog.data.store import open_pictures
from unfog.errors import DataError

REAL_CACHE = cache_folder()  # before the tests move it: what this machine has fetched for its user


def program(folder, name, text):
    """A fake package client."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path


@pytest.fixture
def clients(tmp_path, monkeypatch):
    """A PATH with nothing on it but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def tgz(path, files):
    with tarfile.open(path, "w:gz") as out:
        for name, raw in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            out.addfile(info, io.BytesIO(raw))
    return path


def test_the_table(cache):
    assert [known.name for known in list_sets()] == list(NAMED) == ["digits", "fashion-mnist", "emoji"]
    for known in list_sets():
        assert known.what and known.licence and known.count and known.package
        assert known.installed() == (known.name == "digits")
    assert get("digits").is_file()
    with pytest.raises(DataError, match="Sets are: digits"):
        get("imagenet")


@pytest.mark.parametrize("name", ["fashion-mnist", "emoji"])
def test_a_set_that_is_not_here_says_how_to_get_it(cache, name):
    with pytest.raises(DataError, match=f"unfog data get {name}"):
        open_pictures(name)


@pytest.mark.parametrize(("name", "client"), [("fashion-mnist", "apt-get"), ("emoji", "npm")])
def test_without_the_client(cache, clients, name, client):
    with pytest.raises(DataError, match=f"'{client}'.*to run: {client}"):
        get(name)
    assert not [path for path in (cache / "sets").iterdir() if path.suffix != ".lock"]


def test_a_client_that_fails(cache, clients):
    program(clients, "npm", "import sys; print('npm error 404 no such thing'); sys.exit(1)")
    with pytest.raises(DataError, match=r"npm pack @lobehub/fluent-emoji-3d@1\.1\.0.*\n.*404"):
        get("emoji")
    program(clients, "apt-get", "import sys; print('E: Unable to locate package'); sys.exit(100)")
    with pytest.raises(DataError, match=r"Unable to locate.*sudo apt-get update"):
        get("fashion-mnist")


def test_a_client_that_brings_something_else(cache, clients, tmp_path):
    text = "import sys; name = 'lobehub-x.tgz' if 'lobehub' in sys.argv[2] else 'emojibase-x.tgz'\n"
    program(clients, "npm", text + "open(name, 'w').write('no')")
    with pytest.raises(DataError, match="not the file that unfog knows"):
        get("emoji")


def test_progress_of_a_client(tmp_path, clients):
    seen = []
    program(clients, "slow", "import time; open('x', 'w').write('1' * 50); time.sleep(0.4)")
    fetch.run_client(["slow"], tmp_path, elsewhere="", progress=lambda *at: seen.append(at), total=100_000)
    assert seen[-1] == (100_000, 100_000) and all(done <= total for done, total in seen)


def test_one_file_and_its_hash(tmp_path):
    with pytest.raises(DataError, match="0 files"):
        fetch.only_file(tmp_path, "*.deb")
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"x"))
    fetch.verify(path, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", unpacked=True)
    path.write_bytes(b"torn")
    with pytest.raises(DataError, match="damaged"):
        fetch.verify(path, "", unpacked=True)


# --- emoji


def test_codes_of_both_packages_agree():
    assert emoji.code("1F3F4-E0067-E0062-E007F") == emoji.code("1f3f4-e0067_e0062")
    assert emoji.code("0023-FE0F-20E3") == emoji.code("23-fe0f-20e3") == "23-20e3"


@pytest.mark.parametrize(
    "variants",
    [
        ("1F3C3", "1F3C3-1F3FD", "1F3C3-200D-2640-FE0F", "1F3C3-1F3FB-200D-2642-FE0F-200D-27A1-FE0F"),
        ("1F9D1-200D-1F52C", "1F468-200D-1F52C", "1F469-1F3FE-200D-1F52C"),
        ("1F46A", "1F468-200D-1F469-200D-1F466", "1F469-200D-1F467-200D-1F467", "1F9D1-200D-1F9D2"),
        ("1F46B", "1F46C-1F3FB", "1F9D1-1F3FB-200D-1F91D-200D-1F9D1-1F3FF"),
        ("1F48F", "1F48F-1F3FB", "1F469-200D-2764-FE0F-200D-1F48B-200D-1F468"),
        ("1F385", "1F936-1F3FC", "1F9D1-200D-1F384"),
    ],
)
def test_variants_have_one_base(variants):
    assert len(set(map(emoji.base_of, variants))) == 1


def test_different_emoji_have_different_bases():
    different = [
        "1F34E",
        "1F9D1",
        "1F9D2",
        "2640",
        "1F3FB",
        "1F46A",
        "1F9D1-200D-1F52C",
        "1F3C3",
        "1F468-200D-1F9B0",
    ]
    assert len({emoji.base_of(one) for one in different}) == len(different)


def tiny_packages(folder, encoded):
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
        tgz(folder / "lobehub-a.tgz", art),
        tgz(
            folder / "emojibase-b.tgz",
            {f"package/{name}": json.dumps(data).encode() for name, data in words.items()},
        ),
    )


def test_emoji_become_a_plain_folder(tmp_path, encoded, cache):
    out = tmp_path / "out"
    out.mkdir()
    emoji.lay_out(*tiny_packages(tmp_path, encoded), out)
    assert not list(tmp_path.rglob("evil*"))
    store = open_pictures(out / emoji.PICTURES)
    assert set(store.classes) == {"component", "food-drink", "people-body"}
    told = dict(zip(store.names, store.captions, strict=True))
    assert told["food-drink/1f34e.webp"] == "red apple"
    assert told["people-body/1f44b-1f3ff.webp"] == "waving hand: dark skin tone"
    chinese = open_pictures(out / emoji.PICTURES, options=Options(caption="text_zh"))
    assert "红苹果" in chinese.captions
    held = {
        store.names[i] in {"people-body/1f44b.webp", "people-body/1f44b-1f3ff.webp"} for i in store.held_out
    }
    assert len(held) == 1  # both hands, or neither


def test_emoji_from_start_to_end_with_a_fake_npm(tmp_path, encoded, cache, clients, monkeypatch):
    art, words = tiny_packages(tmp_path, encoded)
    for name, path in (("ART_SHA", art), ("WORDS_SHA", words)):
        monkeypatch.setattr(emoji, name, sha256(path.read_bytes()).hexdigest())
    text = "import sys, shutil\nart = 'lobehub' in sys.argv[2]\nassert '--ignore-scripts' in sys.argv\n"
    program(clients, "npm", text + f"shutil.copy({str(art)!r} if art else {str(words)!r}, '.')")
    path = get("emoji")
    assert (path / fetch.MARKER).is_file() and not list(path.glob("*.tgz"))
    assert NAMED["emoji"].installed()
    assert open_pictures("emoji").digest == open_pictures(path / emoji.PICTURES).digest
    (clients / "npm").unlink()
    assert get("emoji") == path  # nothing is fetched twice


# --- Fashion-MNIST


def test_fashion_from_start_to_end_with_fake_clients(tmp_path, cache, clients, monkeypatch):
    root = tmp_path / "root" / "usr" / "share" / "datasets" / "fashion-mnist"
    root.mkdir(parents=True)
    known = {}
    for name in fashion.FILES:
        count = 4 if name.startswith("train") else 2
        shape = (count, 28, 28) if "images" in name else (count,)
        values = np.random.default_rng(count).integers(0, 10, shape, np.uint8)
        raw = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + values.tobytes()
        (root / name).write_bytes(gzip.compress(raw))
        known[name] = sha256(raw).hexdigest()
    monkeypatch.setattr(fashion, "FILES", known)
    program(
        clients,
        "apt-get",
        "import sys\nif '=' in sys.argv[2]: sys.exit('E: Version not found')\nopen('a.deb', 'w')",
    )
    program(clients, "dpkg-deb", f"import shutil\nshutil.copytree({str(tmp_path / 'root')!r}, 'root')")
    path = get("fashion-mnist")
    assert sorted(os.listdir(path)) == sorted([*known, fetch.MARKER])
    store = open_pictures("fashion-mnist")
    assert list(store.held_out) == [4, 5] and store.classes == fashion.CLASSES
    shutil.rmtree(path)
    known["t10k-labels-idx1-ubyte.gz"] = "0" * 64
    with pytest.raises(DataError, match="not the file that unfog knows"):
        get("fashion-mnist")
    assert not NAMED["fashion-mnist"].installed()


# --- what this machine has really fetched


@pytest.mark.skipif(not NAMED["emoji"].installed(REAL_CACHE), reason="unfog data get emoji was not run here")
def test_the_real_emoji():
    found = list(NamedReader("emoji", Options(cache=REAL_CACHE)).entries())
    assert len(found) == NAMED["emoji"].count
    assert all(entry.caption and entry.label and entry.key for entry in found)
    assert len({entry.label for entry in found}) == 9
    assert 1500 < len({entry.key for entry in found}) < 1900


@pytest.mark.slow
@pytest.mark.skipif(
    not NAMED["fashion-mnist"].installed(REAL_CACHE), reason="unfog data get fashion-mnist was not run"
)
def test_the_real_fashion_mnist(tmp_path):
    manifest = build(NamedReader("fashion-mnist", Options(cache=REAL_CACHE)), tmp_path)
    assert manifest.shape == (70_000, 28, 28, 1)
    assert manifest.classes == fashion.CLASSES
    assert np.load(tmp_path / "official.npy").sum() == 10_000


def test_subprocesses_are_not_left_behind(tmp_path, clients, monkeypatch):
    program(clients, "long", "import time; time.sleep(60)")
    started = []
    real = subprocess.Popen

    def popen(*args, **kwargs):
        started.append(real(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(fetch.subprocess, "Popen", popen)

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch.run_client(["long"], tmp_path, elsewhere="", progress=interrupt, total=1)
    assert started[0].returncode is not None
