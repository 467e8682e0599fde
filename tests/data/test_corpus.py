import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unfog.data.corpus import LONG, find_text_reader, open_corpus
from unfog.data.document import TextOptions
from unfog.errors import DataError


@pytest.fixture
def table(tmp_path):
    def write(rows, name="a.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return path

    return write


def parts(corpus):
    return {corpus.texts[i] for i in corpus.train}, {corpus.texts[i] for i in corpus.held_out}


def test_every_document_is_on_one_side(table):
    corpus = open_corpus(table([{"text": f"text {i}"} for i in range(1000)]))
    train, held = parts(corpus)
    assert not train & held and len(train) + len(held) == 1000 == len(corpus)
    assert 70 < len(held) < 130
    assert corpus.targets is None and corpus.labels is None and corpus.classes == ()
    assert np.all(np.diff(corpus.train) > 0) and corpus.train.dtype == np.int64


def test_a_document_keeps_its_side(table):
    rows = [{"text": f"text {i}"} for i in range(200)]
    before = parts(open_corpus(table(rows)))
    after = parts(open_corpus(table([{"text": f"new {i}"} for i in range(50)] + rows[::-1])))
    assert before[0] <= after[0] and before[1] <= after[1]
    assert parts(open_corpus(table(rows), held_out=0.3))[1] >= before[1]
    assert parts(open_corpus(table(rows), held_out=0))[1] == set()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)), min_size=2, max_size=60))
@settings(max_examples=40, deadline=None)
def test_groups_and_equal_texts_stay_together(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "a.jsonl"
    path.write_text(
        "".join(json.dumps({"text": f"t{t}", "group": g, "target": f"{t} {g}"}) + "\n" for t, g in rows)
    )
    corpus = open_corpus(path, held_out=0.3)
    assert len(corpus) == len(set(rows)) and corpus.duplicates == len(rows) - len(set(rows))
    side = dict.fromkeys(corpus.train.tolist(), "train") | dict.fromkeys(corpus.held_out.tolist(), "held")
    for key in range(2):
        sides = {}
        for i, target in enumerate(corpus.targets):
            sides.setdefault(target.split()[key], set()).add(side[i])
        assert all(len(found) == 1 for found in sides.values())


def test_equal_documents_are_kept_once_and_counted(table):
    rows = [{"text": "a", "target": "x"}, {"text": "a", "target": "y"}, {"text": "a", "target": "x"}]
    corpus = open_corpus(table(rows))
    assert list(corpus.texts) == ["a", "a"] and list(corpus.targets) == ["x", "y"]
    assert corpus.duplicates == 1 and "exact duplicates dropped: 1" in corpus.summary()
    assert corpus.notes and not len(corpus.held_out)  # one text: nothing can be held out


def test_an_official_split_goes_before(table):
    rows = [{"text": f"t{i}", "split": "test" if i == 3 else "train"} for i in range(9)]
    assert open_corpus(table(rows), held_out=0.5).held_out.tolist() == [3]


def test_classes(table):
    rows = [{"text": f"t{i}", "label": label} for i, label in enumerate(["10", "9", None, "10"])]
    corpus = open_corpus(table(rows))
    assert corpus.classes == ("9", "10") and corpus.labels.tolist() == [1, 0, -1, 1]
    assert corpus.counts() == {"9": 1, "10": 2}
    assert "without a class: 1" in corpus.summary()


def test_the_digest_is_that_of_the_content(table):
    rows = [{"text": "a", "label": 1}, {"text": "b", "label": 2}]
    digest = open_corpus(table(rows)).digest
    assert open_corpus(table(rows, "other.jsonl")).digest == digest
    others = (
        [{"text": "ab"}, {"text": "b"}],
        [{"text": "a", "label": 2}, {"text": "b", "label": 2}],
        rows[:1],
    )
    assert len({open_corpus(table(other)).digest for other in others} | {digest}) == 4


def test_one_enormous_line(tmp_path, put):
    raw = ("白日依山盡" * 400_000).encode()
    corpus = open_corpus(put(tmp_path / "a.txt", raw))
    assert "".join(corpus.texts).encode() == raw
    assert corpus.train.tolist() == [0] and corpus.held_out.tolist() == [1]
    assert "one document; its last 200,000 characters" in corpus.summary()


def test_one_long_document_is_cut_at_the_end_of_a_line(tmp_path, put):
    lines = "".join(f"line number {i}\n" for i in range(300))
    corpus = open_corpus(put(tmp_path / "a.txt", lines.encode()))
    assert all(text.startswith("line") for text in corpus.texts)
    assert "\n".join(text.rstrip("\n") for text in corpus.texts) == lines.rstrip("\n")
    short = open_corpus(put(tmp_path / "b.txt", b"x" * (LONG - 1)))
    assert len(short) == 1 and not len(short.held_out) and "nothing can be held out" in short.summary()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.py": b"x", "b.png": b""}, r"2 not a text file.*\n.*text files end in \.txt"),
        ({}, "holds no text: it is empty"),
        ({"a.txt": b"", "b.txt": b"\n\n"}, r"no usable text: 2 empty file.*\nThe first is 'a.txt'"),
        ({"a.txt": b"\0", "b.png": b""}, r"1 binary file, 1 not a text file.*\n.*zero byte at offset 0"),
    ],
)
def test_nothing_to_read(tmp_path, put, files, message):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, raw in files.items():
        put(folder / name, raw)
    with pytest.raises(DataError, match=message):
        open_corpus(folder)


def test_what_is_left_out_is_counted(tmp_path, put):
    for name, raw in {"a.txt": b"a", "b.txt": b"\0", "c.txt": b"\xff", "d.pdf": b"%"}.items():
        put(tmp_path / "in" / name, raw)
    corpus = open_corpus(tmp_path / "in")
    assert len(corpus) == 1 and len(corpus.skipped) == 3
    assert "left out: 3 (1 binary file, 1 not UTF-8, 1 not a text file)" in corpus.summary()


def test_half_a_surrogate_pair_is_left_out(tmp_path, put):
    corpus = open_corpus(put(tmp_path / "a.jsonl", b'{"text": "\\ud800"}\n{"text": "a"}\n'))
    assert list(corpus.texts) == ["a"] and corpus.reasons() == {"not a text": 1}


def test_sources_that_do_not_exist(tmp_path):
    with pytest.raises(DataError, match="Did you mean 'quatrains'"):
        open_corpus("quatrain")
    with pytest.raises(DataError, match="Named sets of text are: quatrains, synopses, descriptions"):
        open_corpus(tmp_path / "nothing")
    with pytest.raises(DataError, match="No data is named"):
        open_corpus("")
    with pytest.raises(DataError, match="0 <= share < 1"):
        open_corpus(tmp_path, held_out=1.0)


def test_a_folder_with_the_name_of_a_set(tmp_path, put, monkeypatch):
    put(tmp_path / "quatrains" / "a.txt", b"mine")
    monkeypatch.chdir(tmp_path)
    from pathlib import Path

    assert type(find_text_reader(Path("quatrains"))).__name__ == "PlainReader"
    assert type(find_text_reader("quatrains")).__name__ == "NamedTextReader"
    assert list(open_corpus("./quatrains").texts) == ["mine"]


def test_progress_and_options_are_handed_on(tmp_path, put):
    path = put(tmp_path / "a.txt", b"one\ntwo\n\nthree")
    told = []
    corpus = open_corpus(path, options=TextOptions(cut="line"), progress=lambda *now: told.append(now))
    assert list(corpus.texts) == ["one", "two", "three"]
    assert told[-1] == (14, 14) and all(done <= total for done, total in told)
