import pytest

from unfog.data.rows import encoding_of, open_table
from unfog.errors import DataError, MissingExtra


def test_columns_of_uneven_lines_are_all_known(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1}\n\n{"b": 2, "a": 3}\n[1]\n')
    table = open_table(path)
    assert table.columns == ("a", "b")
    assert list(table.rows(["a"])) == [{"a": 1}, {"b": 2, "a": 3}, None]


def test_a_csv_row_that_is_too_long_is_a_damaged_one(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('file,label\na.png,x\nb.png,y,z\n"c,c.png",x\n')
    rows = list(open_table(path).rows([]))
    assert rows[1] is None
    assert rows[2] == {"file": "c,c.png", "label": "x"}


def test_a_letter_cut_in_two_at_the_end_of_the_look_is_still_utf8(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a" * ((1 << 20) - 1) + "猫".encode())
    assert encoding_of(path) == "utf-8-sig"
    path.write_bytes("一个红色的苹果".encode("gb18030") * 20)
    assert encoding_of(path) == "gb18030"


def test_types_of_a_parquet_file_are_used(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"n": [1], "raw": [b"x"], "rec": [{"bytes": b"x", "path": None}]}), path)
    table = open_table(path)
    assert table.columns == ("n", "raw", "rec") and table.pictures == ("raw", "rec")
    assert list(table.rows(["raw"])) == [{"raw": b"x"}]


def test_a_parquet_file_of_many_rows_streams(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"n": list(range(500))}), path, row_group_size=100)
    assert [row["n"] for row in open_table(path).rows(["n"])] == list(range(500))


def test_without_pyarrow(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtra, match=r"unfog\[tables\]"):
        open_table(tmp_path / "t.parquet")


def test_class_names_that_are_damaged_are_none(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "t.parquet"
    table = pa.table({"raw": [b"x"]}).replace_schema_metadata({b"huggingface": b"not json"})
    pq.write_table(table, path)
    assert open_table(path).class_names == {}
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="not a sound parquet file"):
        open_table(path)
