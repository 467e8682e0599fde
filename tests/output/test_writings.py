"""A folder of texts: one file each, an index, and nothing that was there is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from unfog.errors import OutputError
from unfog.output import writings
from unfog.output.manuscript import read_manuscript
from unfog.output.pictures import read_index
from unfog.output.provenance import Provenance
from unfog.output.writings import SavedTexts, save_texts


def saved(folder: Path, *texts: str) -> SavedTexts:
    """Some texts, saved."""
    entries = [Provenance(kind="text", recipe="language", index=i, version="1") for i in range(len(texts))]
    return save_texts(folder, texts, entries)


def test_a_file_for_each_text_and_an_index(tmp_path: Path) -> None:
    found = saved(tmp_path / "new" / "out", "春眠不觉晓", "two\nlines")
    assert [file.name for file in found.files] == ["0000.txt", "0001.txt"]
    assert found.files[0].read_text("utf-8").startswith("春眠不觉晓\n----\n")
    for number, file in enumerate(found.files):
        entry = read_manuscript(file)
        assert entry is not None and entry.index == number
    rows = read_index(found.folder)
    assert [(row["file"], row["index"]) for row in rows] == [("0000.txt", 0), ("0001.txt", 1)]
    assert found.index.is_file()


def test_existing_texts_are_continued(tmp_path: Path) -> None:
    first = saved(tmp_path, "a", "b").files
    before = [file.read_bytes() for file in first]
    second = saved(tmp_path, "c").files
    assert [file.name for file in second] == ["0002.txt"]
    assert [file.read_bytes() for file in first] == before
    second[0].unlink()
    assert saved(tmp_path, "d").files[0].name == "0003.txt", "numbers of deleted texts are not used again"


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("notes.txt", "12.txt", "0007.png", "2024 plans.txt"):
        (tmp_path / name).write_bytes(b"mine")
    assert saved(tmp_path, "a").files[0].name == "0000.txt"
    assert (tmp_path / "notes.txt").read_bytes() == b"mine"


def test_a_failure_keeps_what_was_written_and_lists_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = writings.atomic_write

    def failing(path: Path, *args: object, **options: object) -> Path:
        if path.name == "0002.txt":
            raise OutputError("The disk is full.")
        return real(path, *args, **options)

    monkeypatch.setattr(writings, "atomic_write", failing)
    with pytest.raises(OutputError, match="full"):
        saved(tmp_path, "a", "b", "c", "d")
    assert sorted(file.name for file in tmp_path.glob("*.txt")) == ["0000.txt", "0001.txt"]
    assert [row["file"] for row in read_index(tmp_path)] == ["0000.txt", "0001.txt"]


def test_a_file_in_the_way_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"mine")
    with pytest.raises(OutputError, match="file"):
        saved(tmp_path / "out", "a")
    assert (tmp_path / "out").read_bytes() == b"mine"


def test_no_text_writes_nothing(tmp_path: Path) -> None:
    assert saved(tmp_path).files == () and not list(tmp_path.iterdir())
