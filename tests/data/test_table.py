import base64
import csv
import json
from pathlib import Path

import numpy as np
import pytest

from unfog.data.reader import Options
from unfog.data.rows import Table
from unfog.data.table import LeftOut, TableReader, find_columns, inside, label_text, payload_of
from unfog.errors import DataError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def entries(path, **options):
    found = list(TableReader(str(path), Options(**options)).entries())
    return [entry for entry in found if not entry.reason], {e.name: e.reason for e in found if e.reason}


@pytest.fixture
def raws(encoded):
    return [encoded(seed=seed) for seed in range(4)]


def jsonl(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def test_parquet_with_bytes(tmp_path, raws):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": [1, 2, 3, 4], "png": raws, "category": ["a", "b", "a", None]}), path)
    good, bad = entries(path)
    assert [entry.payload for entry in good] == raws and not bad
    assert [entry.label for entry in good] == ["a", "b", "a", None]
    assert good[3].name == "t.parquet#3"


def test_parquet_as_datasets_writes_it(tmp_path, raws):
    path = tmp_path / "t.parquet"
    table = pa.table(
        {
            "image": [{"bytes": raw, "path": None} for raw in raws],
            "label": [0, 1, 1, -1],
            "text": ["x", None, "z", ""],
        }
    )
    features = {
        "label": {"names": ["猫", "dog", "never"], "_type": "ClassLabel"},
        "image": {"_type": "Image"},
    }
    meta = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    pq.write_table(table.replace_schema_metadata(meta), path)
    good, _ = entries(path)
    assert [entry.label for entry in good] == ["猫", "dog", "dog", None]
    assert [entry.captions for entry in good] == [("x",), (), ("z",), ("",)]
    reader = TableReader(str(path))
    list(reader.entries())
    assert reader.classes == ("猫", "dog", "never")


def test_a_folder_of_parquet_parts_with_their_split(tmp_path, raws):
    (tmp_path / "data").mkdir()
    for name, raw in (
        ("test-00000-of-00001", raws[0]),
        ("train-00000-of-00002", raws[1]),
        ("train-00001-of-00002", raws[2]),
    ):
        pq.write_table(pa.table({"image": [raw]}), tmp_path / "data" / f"{name}.parquet")
    assert TableReader.accepts(str(tmp_path))
    good, _ = entries(tmp_path)
    assert [entry.held for entry in good] == [False, False, True]
    assert [entry.payload for entry in good] == [raws[1], raws[2], raws[0]]


def test_jsonl_with_every_kind_of_cell(tmp_path, raws, put):
    put(tmp_path / "sub" / "图 一.png", raws[0])
    text = base64.b64encode(raws[1]).decode()
    path = jsonl(
        tmp_path / "t.jsonl",
        [
            {"image": "sub/图 一.png", "label": "a", "text": ["first", "second"]},
            {"image": {"bytes": text, "path": "x.png"}, "label": 3},
            {"image": "data:image/png;base64," + text, "label": 3.0},
            {"image": {"bytes": None, "path": "sub/图 一.png"}},
            {"image": [[0, 255], [255, 0]]},
            {"image": None},
            {"image": "https://example.org/a.png"},
            {"image": "data:image/png;base64,%%%"},
            {"image": [[1, 2], [3]]},
            {"image": 17},
        ],
    )
    with path.open("a") as file:
        file.write("\nnot json\n")
    good, bad = entries(path)
    assert [entry.label for entry in good] == ["a", "3", "3", None, None]
    assert good[0].captions == ("first", "second")
    assert good[0].payload == tmp_path / "sub" / "图 一.png" == good[3].payload
    assert good[1].payload == good[2].payload == raws[1]
    assert np.array_equal(good[4].payload, [[0, 255], [255, 0]]) and good[4].payload.dtype == np.uint8
    reasons = [reason.partition(":")[0] for reason in bad.values()]
    assert reasons == [
        "empty cell",
        "a web address (unfog does not download pictures)",
        "damaged or incomplete",
        "not a picture",
        "not a picture",
        "damaged line",
    ]


@pytest.mark.parametrize("comma", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_csv_in_its_dialects(tmp_path, raws, put, comma, encoding):
    put(tmp_path / "图.png", raws[0])
    path = tmp_path / ("t.tsv" if comma == "\t" else "t.csv")
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=comma).writerows(
            [("file_name", "class", "caption"), ("图.png", "水果", "一个红色的苹果")]
        )
    good, _ = entries(path)
    assert (good[0].payload, good[0].label, good[0].captions) == (
        tmp_path / "图.png",
        "水果",
        ("一个红色的苹果",),
    )


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "a/../../x.png", "..\\x.png", "a\0b.png"])
def test_paths_may_not_leave_the_folder(tmp_path, name):
    with pytest.raises(LeftOut, match="leads out"):
        inside(tmp_path / "table", name)


def test_paths_inside(tmp_path):
    assert inside(tmp_path, "a/../b.png") == tmp_path / "b.png"
    assert inside(tmp_path, str(tmp_path / "c.png")) == tmp_path / "c.png"


def test_the_root_may_be_chosen(tmp_path, raws, put):
    put(tmp_path / "photos" / "a.png", raws[0])
    (tmp_path / "tables").mkdir()
    path = jsonl(tmp_path / "tables" / "t.jsonl", [{"file": "a.png"}])
    assert entries(path, root=tmp_path / "photos")[0][0].payload == tmp_path / "photos" / "a.png"


def test_columns_are_found_by_name_and_by_content():
    def found(columns, sample=(), **options):
        return find_columns(Table(Path("t.csv"), tuple(columns), tuple(sample)), Options(**options))

    columns = found(["ID", "Image", "Class", "Prompt"])
    assert (columns.image, columns.label, columns.captions) == ("Image", "Class", ("Prompt",))
    assert found(["x", "y"], [{"x": "1", "y": "a/b.JPG"}]).image == "y"
    assert found(["x", "y"], image="x", label="y").label == "y"
    with pytest.raises(DataError, match="No column"):
        found(["x", "y"], [{"x": "1", "y": "2"}])
    with pytest.raises(DataError, match="Did you mean 'breed'"):
        found(["file", "breed"], label="bred")


def test_labels_as_text():
    assert label_text(2.0) == "2" and label_text(True) == "True" and label_text(" a \n b ") == "a b"
    assert label_text(None) is None and label_text(-1) is None and label_text(float("nan")) is None
    assert label_text("") is None and label_text([1]) is None and label_text(1, ("a", "b")) == "b"


def test_a_split_column(tmp_path, raws):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"image": raws, "split": ["train", "test", "train", "val"]}), path)
    assert [entry.held for entry in entries(path)[0]] == [False, True, False, True]


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.jsonl"])
def test_files_that_are_no_tables(tmp_path, name):
    (tmp_path / name).write_bytes(b"\0\1\2 nothing")
    with pytest.raises(DataError):
        entries(tmp_path / name)


def test_an_empty_table(tmp_path):
    (tmp_path / "t.csv").write_text("image,label\n")
    with pytest.raises(DataError, match="no rows"):
        entries(tmp_path / "t.csv")


def test_the_listing_sees_pictures_named_by_path(tmp_path, raws, put):
    picture = put(tmp_path / "a.png", raws[0])
    path = jsonl(tmp_path / "t.jsonl", [{"image": "a.png"}])

    def listing():
        return list(TableReader(str(path)).listing())

    before = listing()
    assert before == listing()
    picture.write_bytes(raws[1] + b" ")
    assert listing() != before


def test_bytes_are_not_looked_up(tmp_path):
    assert payload_of(bytearray(b"x"), tmp_path) == b"x"


def test_a_group_may_be_number_0(tmp_path, raws):
    pq.write_table(pa.table({"image": raws[:3], "patient": [0, 1, None]}), tmp_path / "t.parquet")
    assert [entry.key for entry in entries(tmp_path / "t.parquet")[0]] == ["0", "1", ""]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("image", "text", "text_zh", "text_id"), ("text", "text_zh")),
        (("image", "caption_zh-hans", "caption_en"), ("caption_zh-hans", "caption_en")),
        (("image", "Caption", "caption_2", "description"), ("Caption", "caption_2")),
        (("image", "title"), ()),
    ],
)
def test_captions_in_several_columns(names, found):
    table = Table(Path("t.csv"), names)
    assert find_columns(table, Options()).captions == found


def test_several_columns_of_captions_may_be_named():
    table = Table(Path("t.csv"), ("image", "title", "words, in short", "text"))
    assert find_columns(table, Options(caption="title, text")).captions == ("title", "text")
    assert find_columns(table, Options(caption="words, in short")).captions == ("words, in short",)
    with pytest.raises(DataError, match="no column 'titel'"):
        find_columns(table, Options(caption="text,titel"))
