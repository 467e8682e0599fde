import json
import os

import pytest

from unfog.data.folder import FolderReader, walk
from unfog.data.reader import Options


def entries(path, **options):
    found = list(FolderReader(str(path), Options(**options)).entries())
    return [entry for entry in found if not entry.reason], {e.name: e.reason for e in found if e.reason}


def test_class_is_the_first_folder_and_the_order_is_by_name(pets):
    good, bad = entries(pets)
    assert [entry.name for entry in good][:2] == ["cats/0.png", "cats/1.png"]
    assert [entry.label for entry in good] == ["cats"] * 5 + ["dogs"] * 5
    assert not bad


def test_names_in_chinese_and_with_spaces(tmp_path, picture):
    path = tmp_path / "my pets" / "小 猫" / "一 号.png"
    path.parent.mkdir(parents=True)
    picture().save(path)
    good, _ = entries(tmp_path / "my pets")
    assert (good[0].name, good[0].label) == ("小 猫/一 号.png", "小 猫")


def test_names_that_are_no_text(tmp_path, encoded):
    folder = os.fsencode(tmp_path) + b"/b\xff"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this disk takes only UTF-8 names")
    with open(folder + b"/\xfe.png", "wb") as file:
        file.write(encoded())
    good, _ = entries(tmp_path)
    assert good[0].name.encode() and good[0].label.encode()


def test_text_beside_a_picture_is_its_caption_other_text_is_left_out(tmp_path, picture):
    picture().save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("红苹果\n", "utf-8")
    (tmp_path / "alone.txt").write_text("x")
    (tmp_path / "notes.md").write_text("x")
    good, bad = entries(tmp_path)
    assert [entry.captions for entry in good] == [("红苹果",)]
    assert bad == {"alone.txt": "not a picture", "notes.md": "not a picture"}


def test_what_the_system_leaves_is_not_counted(pets):
    for name in (".DS_Store", "Thumbs.db", "__MACOSX/._0.png", ".git/x.png"):
        path = pets / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    good, bad = entries(pets)
    assert len(good) == 10 and not bad


def test_loops_of_links_end(pets):
    (pets / "cats" / "again").symlink_to(pets)
    (pets / "self").symlink_to(pets / "self")
    (pets / "gone.png").symlink_to(pets / "nothing.png")
    good, bad = entries(pets)
    assert len(good) == 10
    assert bad["cats/again/"] == "link to a folder that is read already"
    assert bad["self"].startswith("broken link") and bad["gone.png"].startswith("broken link")


def test_links_to_folders_elsewhere_are_followed(pets, tmp_path):
    root = tmp_path / "joined"
    root.mkdir()
    (root / "felines").symlink_to(pets / "cats")
    (root / "one.png").symlink_to(pets / "dogs" / "0.png")
    good, _ = entries(root)
    assert [entry.label for entry in good] == ["felines"] * 5 + [None]


def test_a_real_folder_goes_before_a_link_to_it(pets):
    (pets / "a link").symlink_to(pets / "dogs")
    good, bad = entries(pets)
    assert {entry.label for entry in good} == {"cats", "dogs"} and "a link/" in bad


def test_pipes_are_never_opened(pets):
    os.mkfifo(pets / "pipe.png")
    assert entries(pets)[1] == {"pipe.png": "not a regular file"}


def test_a_folder_that_may_not_be_read(pets, monkeypatch):
    real = os.scandir

    def scandir(path):
        if str(path).endswith("cats"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    good, bad = entries(pets)
    assert len(good) == 5 and bad == {"cats/": "cannot be read: Permission denied"}


def test_a_single_picture_is_a_set(pets):
    good, _ = entries(pets / "cats" / "0.png")
    assert [(entry.name, entry.label) for entry in good] == [("0.png", None)]


def test_train_and_test_folders_are_the_split(tmp_path, picture):
    for part in ("train", "test"):
        (tmp_path / part / "cats").mkdir(parents=True)
        picture().save(tmp_path / part / "cats" / "1.png")
    good, _ = entries(tmp_path)
    assert [(entry.label, entry.held) for entry in good] == [("cats", True), ("cats", False)]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_metadata_file_tells_more(pets, kind):
    rows = [
        {"file_name": "cats/0.png", "text": "a cat", "text_zh": "猫", "group": "tom", "split": "test"},
        {"file_name": "cats/1.png", "text": "another", "text_zh": "又一只", "group": "tom", "split": "train"},
    ]
    if kind == "csv":
        lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    else:
        lines = [json.dumps(row) for row in rows]
    (pets / f"metadata.{kind}").write_text("\n".join(lines), "utf-8")
    good, bad = entries(pets)
    first = good[0]
    assert (first.label, first.captions, first.key, first.held) == ("cats", ("a cat", "猫"), "tom", True)
    assert good[1].held is False and good[2].held is None and not bad
    assert entries(pets, caption="text_zh")[0][1].captions == ("又一只",)


def test_the_listing_sees_every_change(pets, picture):
    def listing():
        return list(FolderReader(str(pets)).listing())

    before = listing()
    assert listing() == before
    picture(seed=99).save(pets / "cats" / "0.png")
    changed = listing()
    assert changed != before
    (pets / "cats" / "0.txt").write_text("a caption")
    assert listing() != changed


def test_walk_opens_nothing(pets, monkeypatch):
    monkeypatch.setattr("pathlib.Path.open", lambda *_: pytest.fail("opened"))
    assert len(walk(pets).pictures) == 10
