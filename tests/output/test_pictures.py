import errno
import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from unfog.errors import OutputError
from unfog.output import pictures
from unfog.output.pictures import picture_name, read_index, safe_name, save_pictures
from unfog.output.provenance import Provenance, read_provenance


def some(count, **common):
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)
    labels = common.pop("labels", [None] * count)
    return images, [Provenance(index=i, label=labels[i], version="1", **common) for i in range(count)]


def names(folder):
    return sorted(item.name for item in folder.iterdir())


def test_writes_pictures_index_and_grid(tmp_path):
    images, entries = some(4, labels=["3", "5", "3", "5"], seed=7, settings={"steps": 20})
    seen = []
    saved = save_pictures(tmp_path / "out", images, entries, lambda *at: seen.append(at))
    assert [file.name for file in saved.files] == [f"{i:04d}_label-{n}.png" for i, n in enumerate("3535")]
    assert seen[-1] == (4, 4)
    for file, image, entry in zip(saved.files, images, entries, strict=True):
        assert read_provenance(file) == entry
        assert (np.asarray(Image.open(file)) == image[..., 0]).all()
    lines = [json.loads(line) for line in saved.index.read_text("utf-8").splitlines()]
    assert lines == read_index(tmp_path / "out")
    assert lines[2]["file"] == "0002_label-3.png" and lines[2]["label"] == "3" and lines[2]["seed"] == 7
    assert lines[2]["index"] == 2 and lines[2]["settings"] == {"steps": 20} and "prompt" not in lines[2]
    sheet = read_provenance(saved.grid)
    assert sheet is not None and sheet.kind == "grid"
    wide, high = Image.open(saved.grid).size
    assert wide == high  # two labels, two rows of two


def test_existing_results_are_continued(tmp_path):
    images, entries = some(2)
    first = save_pictures(tmp_path, images, entries)
    before = {file: file.read_bytes() for file in (*first.files, first.grid)}
    second = save_pictures(tmp_path, images, entries)
    assert [file.name for file in second.files] == ["0002.png", "0003.png"]
    assert second.grid.name == "grid-0002.png"
    assert {file: file.read_bytes() for file in before} == before
    assert [line["file"] for line in read_index(tmp_path)] == ["0000.png", "0001.png", "0002.png", "0003.png"]
    # numbers of pictures that someone has deleted are not used again
    second.files[1].unlink()
    assert save_pictures(tmp_path, images[:1], entries[:1]).files[0].name == "0004.png"


def test_foreign_files_in_the_folder_are_left_alone(tmp_path):
    for name in ("2024_holiday.png", "notes.txt", "12.png", "grid.jpg"):
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / "index.jsonl").write_bytes(b'{"file": "0007.png"}\nbroken\n[1]\n{"cut": ')
    images, entries = some(1)
    assert save_pictures(tmp_path, images, entries).files[0].name == "2025.png"
    assert (tmp_path / "notes.txt").read_bytes() == b"mine"
    assert [line["file"] for line in read_index(tmp_path)] == ["0007.png", "2025.png"]


def test_a_foreign_sheet_is_not_overwritten(tmp_path):
    (tmp_path / "grid.png").write_bytes(b"mine")
    images, entries = some(1)
    assert save_pictures(tmp_path, images, entries).grid.name == "grid-0000.png"
    assert (tmp_path / "grid.png").read_bytes() == b"mine"


def test_pictures_may_come_one_by_one(tmp_path):
    images, entries = some(3)
    assert len(save_pictures(tmp_path, iter(images), entries).files) == 3


@pytest.mark.parametrize(("given_", "entries_"), [(2, 3), (3, 2), (0, 0)])
def test_numbers_must_agree(tmp_path, given_, entries_):
    images, entries = some(3)
    for form in (images[:given_], iter(images[:given_])):
        with pytest.raises(OutputError, match="entr"):
            save_pictures(tmp_path / str(type(form)), form, entries[:entries_])


def test_full_disk_in_the_middle_keeps_whole_files_and_an_index(tmp_path, monkeypatch):
    images, entries = some(5)
    real, count = pictures.write_picture, []

    def write(path, *args, **kwargs):
        count.append(path)
        if len(count) == 4:
            raise OutputError(f"Cannot write {path}: the disk is full.")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(pictures, "write_picture", write)
    with pytest.raises(OutputError, match="disk is full"):
        save_pictures(tmp_path, images, entries)
    assert names(tmp_path) == ["0000.png", "0001.png", "0002.png", "index.jsonl"]
    assert len(read_index(tmp_path)) == 3


def test_index_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    images, entries = some(1)
    saved = save_pictures(tmp_path, images, entries)
    before = saved.index.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="disk is full"):
        save_pictures(tmp_path, images, entries)
    assert saved.index.read_bytes() == before
    assert not [name for name in names(tmp_path) if name.startswith(".")]


def test_names():
    assert picture_name(7, label="3") == "0007_label-3.png"
    assert picture_name(7) == "0007.png"
    assert picture_name(12345, prompt="A red/blue *cat*...") == "12345_A-red-blue-cat.png"
    assert picture_name(1, label="../../etc/passwd") == "0001_label-etc-passwd.png"
    assert picture_name(1, prompt="一只猫，在月亮上") == "0001_一只猫-在月亮上.png"
    assert picture_name(1, prompt="हिन्दी भाषा") == "0001_हिन्दी-भाषा.png"
    assert picture_name(1, label="🐈") == "0001.png"


@given(text=st.text(max_size=300) | st.text('./\\ -_:*?"<>|\x00\n\r猫é\ud800', max_size=300))
def test_any_text_gives_a_safe_name(text):
    name = safe_name(text)
    assert len(name.encode()) <= 80
    assert not set(name) & set('./\\:*?"<>|\x00\n\r\t _') and not name.startswith("-")


@given(label=st.text(max_size=20))
@settings(max_examples=40)
def test_any_label_can_be_saved(tmp_path_factory, label):
    folder = tmp_path_factory.mktemp("p")
    images, entries = some(1, labels=[label], prompt=label)
    saved = save_pictures(folder, images, entries)
    assert saved.files[0].is_file()
    assert read_index(folder)[0]["prompt"] == label


def test_half_a_surrogate_pair_in_a_label(tmp_path):
    images, entries = some(1, labels=["a\udc80b"])
    save_pictures(tmp_path, images, entries)
    assert read_index(tmp_path)[0]["label"] == "a\udc80b"


def test_rows_of_the_grid_only_when_classes_repeat(tmp_path):
    images, entries = some(9, labels=list("012345678"))
    assert Image.open(save_pictures(tmp_path, images, entries).grid).size[0] > 100


def test_many_pictures_of_few_labels_are_still_large_on_the_sheet(tmp_path):
    images, entries = some(120, labels=["a"] * 60 + ["b"] * 60)
    wide, high = Image.open(save_pictures(tmp_path, images, entries).grid).size
    assert 1200 < wide <= 1600 and high > 150  # two rows of the first 16 of each


def test_pictures_of_different_sizes_still_get_a_sheet(tmp_path):
    entries = some(2)[1]
    shapes = [np.zeros((4, 4), np.uint8), np.zeros((5, 6, 3), np.uint8)]
    assert save_pictures(tmp_path, shapes, entries).grid.is_file()
