import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfog.data.document import TextOptions
from unfog.data.plain import LeftOut
from unfog.data.text_table import TextTableReader, cell_text, find_text_columns, json_rows
from unfog.errors import DataError, MissingExtra


def read(source, **options):
    return list(TextTableReader(str(source), TextOptions(**options)).documents())


def lines(*rows):
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def test_columns_by_their_usual_names():
    columns = ["Label", "id", "Summary", "document", "split", "group"]
    found = find_text_columns("t", columns, [], TextOptions())
    assert vars(found) == {
        "text": "document",
        "target": "Summary",
        "label": "Label",
        "group": "group",
        "split": "split",
    }
    assert found.names() == ["document", "Summary", "Label", "group", "split"]


def test_columns_by_choice():
    columns = ["title", "text", "author"]
    found = find_text_columns("t", columns, [], TextOptions(text="title", target="text", label="author"))
    assert (found.text, found.target, found.label) == ("title", "text", "author")
    with pytest.raises(DataError, match=r"no column 'titel'. Did you mean 'title'"):
        find_text_columns("t", columns, [], TextOptions(target="titel"))
    with pytest.raises(DataError, match=r"no column 'x'. It has title, text, author"):
        find_text_columns("t", columns, [], TextOptions(group="x"))
    assert find_text_columns("t", ["text", "summary"], [], TextOptions(target="")).target is None
    # one column is never two things
    assert find_text_columns("t", columns, [], TextOptions(text="text", target="text")).target is None


def test_a_lone_column_of_text_needs_no_name():
    assert find_text_columns("t", ["n", "poem"], [{"n": 1, "poem": "月"}], TextOptions()).text == "poem"
    with pytest.raises(DataError, match=r"surely the text; it has a, b.\nName the column: --set data.text="):
        find_text_columns("t", ["a", "b"], [{"a": "x", "b": "y"}], TextOptions())


def test_what_a_cell_may_hold():
    assert cell_text("a\r\nb\n") == "a\nb"
    assert cell_text(["床前明月光，", "疑是地上霜。"]) == "床前明月光，\n疑是地上霜。"
    assert cell_text(3) is cell_text(None) is cell_text([{"role": "user"}]) is None


def test_jsonl_with_damaged_lines(tmp_path, put):
    good = lines({"text": "one", "label": 1, "group": "g"}, {"text": "月", "label": 2.0, "split": "test"})
    bad = b'{"text": "tr\n[1]\n{"text": "\xff"}\n\n' + lines({"text": " "}, {"text": 7}, {"other": "x"})
    found = read(put(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + good + bad))
    assert [(d.text, d.label, d.group, d.held) for d in found[:2]] == [
        ("one", "1", "g", None),
        ("月", "2", "", True),
    ]
    assert [d.reason.partition(":")[0] for d in found[2:]] == ["damaged line"] * 3 + ["not a text"] * 3
    assert [d.name for d in found] == [f"a.jsonl#{i}" for i in range(8)]
    offset = (b"\xef\xbb\xbf" + good + bad).index(b"\xff")
    assert f"byte 0xFF at offset {offset}" in found[4].reason


def test_lines_that_are_no_json_at_all(tmp_path, put):
    with pytest.raises(DataError, match=r"'a\.jsonl' has no rows that can be read"):
        read(put(tmp_path / "a.jsonl", b"hello\nworld\n"))
    with pytest.raises(DataError, match="no rows"):
        read(put(tmp_path / "b.csv", b""))
    deep = b"[" * 100_000
    assert json_rows(deep) == ["damaged line: not JSON"]
    assert json_rows('{"text": "é"}'.encode("utf-16"))[0] == {"text": "é"}


def test_pairs_without_a_target_are_left_out(tmp_path, put):
    found = read(put(tmp_path / "a.jsonl", lines({"text": "long", "summary": "s"}, {"text": "longer"})))
    assert (found[0].target, found[0].reason) == ("s", "")
    assert found[1].reason.startswith("without a target")


def test_csv_with_long_cells_and_line_ends_inside(tmp_path, put):
    long = "x" * 200_000  # more than the csv module allows by itself
    raw = f'\ufefftext,target,label\r\n"a\r\nb",t,1\r\n{long},u,2\r\nc,v,3,4\r\n'.encode()
    found = read(put(tmp_path / "a.csv", raw))
    assert [(d.text[:3], d.target, d.label) for d in found[:2]] == [("a\nb", "t", "1"), ("xxx", "u", "2")]
    assert found[1].text == long and found[2].reason == "damaged line: more cells than columns"
    assert [d.text for d in read(put(tmp_path / "a.tsv", b"text\tlabel\none, two\t1\n"))] == ["one, two"]


def test_csv_in_another_encoding(tmp_path, put):
    path = put(tmp_path / "a.csv", "text,label\n明月,诗\n".encode("gb18030"))
    with pytest.raises(DataError, match=r"offset 11\.\n.*--set data\.encoding=gb18030"):
        read(path)
    assert [(d.text, d.label) for d in read(path, encoding="gb18030")] == [("明月", "诗")]


def test_a_folder_of_tables(tmp_path, put):
    put(tmp_path / "test.jsonl", lines({"text": "b"}))
    put(tmp_path / "train.jsonl", lines({"text": "a"}))
    put(tmp_path / "README.md", b"what this is")
    assert TextTableReader.accepts(str(tmp_path))
    assert [(d.text, d.held) for d in read(tmp_path)] == [("a", False), ("b", True)]
    put(tmp_path / "notes.txt", b"notes")
    assert not TextTableReader.accepts(str(tmp_path))  # a folder of texts that also holds tables


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as parquet

    features = {"info": {"features": {"label": {"_type": "ClassLabel", "names": ["song", "tang"]}}}}
    rows = {"label": [1, 0, 1], "n": [1, 2, 3], "poem": ["月", "光", None]}
    table = pa.table(rows).replace_schema_metadata({"huggingface": json.dumps(features)})
    parquet.write_table(table, tmp_path / "a.parquet")
    reader = TextTableReader(str(tmp_path))
    found = list(reader.documents())
    assert [(d.text, d.label) for d in found[:2]] == [("月", "tang"), ("光", "song")]
    assert found[2].reason and reader.classes == ("song", "tang")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="not a sound parquet"):
        read(tmp_path / "b.parquet")


def test_parquet_without_its_library(tmp_path, put, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtra, match="tables"):
        read(put(tmp_path / "a.parquet", b""))


def test_one_json_list(tmp_path, put):
    found = read(put(tmp_path / "a.json", b'\xef\xbb\xbf [{"text": "one"},\n 3, {"text": "two"}]'))
    assert [(d.text, d.reason) for d in found] == [
        ("one", ""),
        ("", "damaged line: not a JSON record"),
        ("two", ""),
    ]
    with pytest.raises(DataError, match="no rows"):
        read(put(tmp_path / "b.json", b'[{"text": "one"}'))


PIECES = st.binary(max_size=12) | st.sampled_from([b'{"text": "a"}', b"[1]", b"{}", b"[]", b"\xff"])


@given(st.lists(PIECES, max_size=6))
def test_any_lines_are_records_or_left_out(pieces):
    try:
        rows = json_rows(b"\n".join(pieces))
    except LeftOut as reason:  # it began as UTF-16 does
        assert "utf-16" in str(reason)
    else:
        assert all(isinstance(row, dict) or row.startswith("damaged line") for row in rows)
