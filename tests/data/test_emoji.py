from hashlib import sha256

import pytest

from unfog.data import emoji, fetch
from unfog.data.named import NAMED, get
from unfog.data.reader import Options
from unfog.data.store import open_pictures
from unfog.errors import DataError


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


def test_emoji_become_a_plain_folder(tmp_path, emoji_packages, cache):
    out = tmp_path / "out"
    out.mkdir()
    emoji.lay_out(*emoji_packages, out)
    assert not list(tmp_path.rglob("evil*"))
    store = open_pictures(out / emoji.PICTURES)
    assert set(store.classes) == {"component", "food-drink", "people-body"}
    told = dict(zip(store.names, store.captions, strict=True))
    assert told["food-drink/1f34e.webp"] == ("red apple", "红苹果")
    assert told["people-body/1f44b-1f3ff.webp"] == ("waving hand: dark skin tone",)
    chinese = open_pictures(out / emoji.PICTURES, options=Options(caption="text_zh"))
    assert ("红苹果",) in chinese.captions and () in chinese.captions
    assert "captions are empty" in chinese.summary()
    held = {
        store.names[i] in {"people-body/1f44b.webp", "people-body/1f44b-1f3ff.webp"} for i in store.held_out
    }
    assert len(held) == 1  # both hands, or neither


def test_emoji_from_start_to_end_with_a_fake_npm(emoji_packages, cache, clients, monkeypatch):
    art, words = emoji_packages
    for name, path in (("ART_SHA", art), ("WORDS_SHA", words)):
        monkeypatch.setattr(emoji, name, sha256(path.read_bytes()).hexdigest())
    text = "import sys, shutil\nart = 'lobehub' in sys.argv[2]\nassert '--ignore-scripts' in sys.argv\n"
    npm = clients("npm", text + f"shutil.copy({str(art)!r} if art else {str(words)!r}, '.')")
    path = get("emoji")
    assert (path / fetch.MARKER).is_file() and not list(path.glob("*.tgz"))
    assert NAMED["emoji"].installed()
    assert open_pictures("emoji").digest == open_pictures(path / emoji.PICTURES).digest
    npm.unlink()
    assert get("emoji") == path  # nothing is fetched twice


def test_packages_that_are_not_what_they_should_be(tmp_path, emoji_packages):
    art, words = emoji_packages
    with pytest.raises(DataError, match="does not hold"):
        emoji.lay_out(art, art, tmp_path)
    words.write_bytes(words.read_bytes()[:-30])
    with pytest.raises(DataError, match="is damaged"):
        emoji.lay_out(art, words, tmp_path)


def test_groups_and_both_languages():
    english = [{"label": "a", "hexcode": "1F34E", "group": 4}, {"label": "b", "hexcode": "1F1E6"}]
    told = emoji.tell(english, [{"label": "甲", "hexcode": "1F34E"}], {"4": "food-drink"})
    assert told["1f34e"] == emoji.Told("a", "甲", "food-drink", "1f34e")
    assert told["1f1e6"].group == "component" and told["1f1e6"].chinese == ""
