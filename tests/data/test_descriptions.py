import json

import pytest

from unfog.data import descriptions
from unfog.data.cache import cache_folder
from unfog.data.corpus import open_corpus
from unfog.data.descriptions import Described, group_names, parse, source_names, stem, unwrap
from unfog.data.document import TextOptions
from unfog.data.named import NAMED, get
from unfog.errors import DataError

REAL_CACHE = cache_folder()  # before the tests move it

INDEX = """\
Package: moon
Description-md5: d943033bedada21853d2ae54a2578a7b
Description-en: shows  the phase
 The moon goes round the earth once a month, and this program draws how much
 of it is lit on any day of any year that you care to name.
 .
 Features:
  * draws the moon
    in any size
  * and the sun
 .
 More at the moon.

Package: moon-dev
Description-md5: 00000000000000000000000000000000
Description-en: shows the phase (headers)
 The moon goes round the earth once a month, and this program draws how much
 of it is lit on any day of any year that you care to name.
 .
 Headers for those who build upon it.

Package: empty
Description-md5: 11111111111111111111111111111111
Description-en: nothing to say

Package: 2048
Description-md5: 22222222222222222222222222222222
Description-en: a game
 Short.
"""

PACKAGES = """\
Package: moon
Source: astro-tools-12 (1.2-3)
Version: 1
Description: shows the phase

Package: 2048
Version: 1
"""


def test_stanzas():
    moon, dev, game = parse(INDEX)
    assert (moon.package, moon.synopsis) == ("moon", "shows the phase")
    assert moon.text == (
        "The moon goes round the earth once a month, and this program draws how much of it is lit on any day "
        "of any year that you care to name.\n\nFeatures:\n* draws the moon in any size\n* and the sun\n\n"
        "More at the moon."
    )
    assert dev.text.endswith("name.\n\nHeaders for those who build upon it.")
    assert game == Described("2048", "a game", "Short.")


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (" one\n two\n", "one two"),
        (" one\n .\n .\n two\n", "one\n\ntwo"),
        (" - a\n - b\n   more of b\n back\n", "- a\n- b more of b\nback"),
        ("  code\n  code\n text\n text\n", "code\ncode\ntext text"),
        (" a:\n  * b\n    - c\n      c\n  * d\n", "a:\n* b\n- c c\n* d"),
        (" .\n one\n .\n", "one"),
    ],
)
def test_line_breaks_that_mean_nothing_go(lines, text):
    assert unwrap(lines) == text


def test_sources_and_their_versions():
    assert source_names(PACKAGES.splitlines(keepends=True)) == {"moon": "astro-tools-12", "2048": "2048"}
    names = ("gcc-12", "gcc-11-cross", "python3.11", "llvm-toolchain-15", "2048", "0ad", "bzip2")
    assert [*map(stem, names)] == ["gcc", "gcc-cross", "python", "llvm-toolchain", "2048", "0ad", "bzip"]


def test_groups():
    found = list(parse(INDEX))
    # the first two begin alike; their sources are unknown, and known
    assert group_names(found, {}) == ["moon", "moon", "2048"]
    assert group_names(found, {"moon": "astro-tools-12"}) == ["astro-tools", "astro-tools", "2048"]
    short = [Described("a", "s", "Short."), Described("b", "s", "Short.")]
    assert group_names(short, {}) == ["a", "b"]  # says too little to belong together


@pytest.fixture
def apt(clients, monkeypatch):
    """An apt-get that leaves the lists of a small distribution where it was told to."""
    monkeypatch.setattr(descriptions, "LEAST", 3)
    release = "Origin: Moon\nDescription: Moon 12.1 Released today\n"
    place = "deb.example_dists_moon"
    files = {
        f"{place}_main_i18n_Translation-en": INDEX,
        f"{place}-updates_main_i18n_Translation-en": INDEX[:300],
        f"{place}_main_binary-amd64_Packages": PACKAGES,
        f"{place}_InRelease": release,
    }
    return lambda end="": clients(
        "apt-get",
        "import sys, re, pathlib\n"
        "assert sys.argv[1:] == ['-c', 'apt.conf', 'update']\n"
        "text = open('apt.conf').read()\n"
        "lists = pathlib.Path(re.search('State::lists \"(.*)\"', text)[1])\n"
        "assert lists.is_relative_to(pathlib.Path.cwd()) and (lists / 'partial').is_dir()\n"
        f"for name, text in {files!r}.items(): (lists / name).write_text(text)\n{end}",
    )


def test_from_start_to_end_with_a_fake_apt(apt, cache):
    client = apt()
    path = get("synopses")
    assert {file.name for file in path.iterdir()} == {
        "synopses.jsonl",
        "descriptions.jsonl",
        "release.txt",
        "set.json",
    }
    assert (path / "release.txt").read_text() == "Moon 12.1 Released today\n"
    rows = [json.loads(line) for line in (path / "synopses.jsonl").read_text().splitlines()]
    assert [row["target"] for row in rows] == ["shows the phase", "shows the phase (headers)"]
    assert rows[0]["group"] == rows[1]["group"] == "astro-tools" and rows[1]["package"] == "moon-dev"
    client.unlink()
    assert get("descriptions") == path  # one fetch for both
    assert list(open_corpus("descriptions").texts)[2] == "Short."
    pairs = open_corpus("synopses")
    assert list(pairs.targets) == ["shows the phase", "shows the phase (headers)"] and not len(pairs.held_out)


def test_one_source_out_of_reach_is_no_harm(apt, cache):
    apt("print('E: The repository is not signed.'); sys.exit(100)")
    assert (get("descriptions") / "descriptions.jsonl").is_file()


def test_no_index_at_all(cache, clients):
    clients("apt-get", "print('E: No network'); import sys; sys.exit(100)")
    with pytest.raises(DataError, match=r"-c apt\.conf update\nE: No network.*elsewhere give a jsonl"):
        get("synopses")
    clients("apt-get", "")
    with pytest.raises(DataError, match="no English descriptions"):
        get("synopses")


def test_an_index_of_something_else(apt, cache, monkeypatch):
    monkeypatch.setattr(descriptions, "LEAST", 10_000)
    apt()
    with pytest.raises(DataError, match="holds 3 descriptions, not those of a distribution"):
        get("synopses")


@pytest.mark.skipif(not NAMED["synopses"].installed(REAL_CACHE), reason="unfog data get synopses was not run")
def test_the_real_synopses():
    corpus = open_corpus("synopses", options=TextOptions(cache=REAL_CACHE))
    assert len(corpus) > descriptions.LEAST and not corpus.skipped
    lengths = [len(text) for text in corpus.texts]
    assert min(lengths) >= descriptions.SHORTEST and max(lengths) <= descriptions.LONGEST
    assert all("\n" not in target and 0 < len(target) < 400 for target in corpus.targets)
    train = {corpus.texts[i] for i in corpus.train}
    assert not any(corpus.texts[i] in train for i in corpus.held_out)
    assert 0.07 < len(corpus.held_out) / len(corpus) < 0.13
