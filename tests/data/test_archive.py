import io
import tarfile
import zipfile

import pytest

from unfog.data import archive
from unfog.data.archive import ArchiveReader
from unfog.errors import DataError

KINDS = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"]


def pack(path, files):
    """Write an archive; ``files`` maps names to bytes."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as out:
            for name, raw in files.items():
                out.writestr(name, raw)
        return path
    kind = {".gz": "gz", ".tgz": "gz", ".bz2": "bz2", ".xz": "xz"}.get(path.suffix, "")
    with tarfile.open(path, f"w:{kind}") as out:
        for name, raw in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            out.addfile(info, io.BytesIO(raw))
    return path


def entries(path):
    found = list(ArchiveReader(str(path)).entries())
    return [entry for entry in found if not entry.reason], {e.name: e.reason for e in found if e.reason}


@pytest.fixture
def files(encoded):
    return {
        "photos/cats/1 号.png": encoded(seed=1),
        "photos/cats/1 号.txt": "一只猫".encode(),
        "photos/dogs/deep/2.png": encoded(seed=2),
        "photos/readme.md": b"hello",
        "photos/lonely.txt": b"no picture beside it",
        "__MACOSX/photos/cats/._1.png": b"x",
        "photos/.DS_Store": b"x",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_classes_captions_and_names(tmp_path, kind, files):
    good, bad = entries(pack(tmp_path / f"pets{kind}", files))
    assert [entry.label for entry in good] == ["cats", "dogs"]
    assert [entry.captions for entry in good] == [("一只猫",), ()]
    assert good[0].name == f"pets{kind}!photos/cats/1 号.png"
    assert good[0].payload == files["photos/cats/1 号.png"]
    assert sorted(name.rpartition("/")[2] for name in bad) == ["lonely.txt", "readme.md"]


@pytest.mark.parametrize("kind", [".zip", ".tar"])
def test_paths_that_lead_out_are_counted_and_nothing_is_written(tmp_path, kind, encoded):
    good, bad = entries(
        pack(tmp_path / f"x{kind}", {"../../evil.png": encoded(), "a/../../b.png": encoded()})
    )
    assert not good and set(bad.values()) == {"its path leads out of the archive"}
    assert [path.name for path in tmp_path.iterdir()] == [f"x{kind}"]


def test_absolute_names_are_only_names(tmp_path, encoded):
    good, _ = entries(pack(tmp_path / "x.tar", {"/etc/passwd.png": encoded(), "/etc/b/c.png": encoded()}))
    assert [entry.label for entry in good] == [None, "b"]


def test_links_in_a_tar_are_left_out(tmp_path, encoded):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as out:
        link = tarfile.TarInfo("passwd.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        out.addfile(link)
    assert entries(path)[1] == {"x.tar!passwd.png": "a link inside the archive"}


def test_large_members_are_not_read(tmp_path, monkeypatch, encoded):
    monkeypatch.setattr(archive, "MAX_FILE", 100)
    for kind in (".zip", ".tar.gz"):
        good, bad = entries(pack(tmp_path / f"x{kind}", {"big.png": bytes(101), "ok.png": bytes(99)}))
        assert len(good) == 1 and "larger" in bad[f"x{kind}!big.png"]


@pytest.mark.parametrize("kind", [".zip", ".tar.gz"])
def test_a_bomb_is_refused_as_a_whole(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(archive, "LARGEST_FREE", 1 << 20)
    monkeypatch.setattr(archive, "LARGEST_RATIO", 100)
    path = tmp_path / f"x{kind}"
    if kind == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("a.png", bytes(3 << 20))
    else:
        pack(path, {"a.png": bytes(3 << 20)})
    with pytest.raises(DataError, match="bomb"):
        entries(path)


def test_names_without_a_stated_coding():
    gbk, utf8, plain = (zipfile.ZipInfo("x") for _ in range(3))
    gbk.create_system, utf8.create_system = 0, 3
    gbk.filename = "猫/一.png".encode("gb18030").decode(
        "cp437"
    )  # what zipfile makes of bytes without the mark
    utf8.filename = "猫.png".encode().decode("cp437")
    plain.filename = "plain.png"
    assert [archive._zip_name(info) for info in (gbk, utf8, plain)] == ["猫/一.png", "猫.png", "plain.png"]


def test_an_encrypted_member(tmp_path, encoded):
    path = pack(tmp_path / "x.zip", {"a.png": encoded()})
    raw = bytearray(path.read_bytes())
    raw[6] |= 1  # the local header's flag, and the directory's
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    assert entries(path)[1] == {"x.zip!a.png": "encrypted"}


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tar.gz"])
def test_not_an_archive(tmp_path, kind):
    path = tmp_path / f"x{kind}"
    path.write_bytes(b"this is text, and quite long enough to be looked at" * 30)
    with pytest.raises(DataError, match="not a sound zip or tar archive"):
        entries(path)


def test_a_truncated_zip(tmp_path, files):
    path = pack(tmp_path / "x.zip", files)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="not a sound"):
        entries(path)


@pytest.mark.parametrize(("kind", "cut"), [(".tar", 2600), (".tar", 3260), (".tar", 3072), (".tar.gz", 500)])
def test_a_truncated_tar_keeps_what_is_there(tmp_path, encoded, kind, cut):
    path = pack(tmp_path / f"x{kind}", {f"{i}.png": encoded(seed=i) for i in range(6)})
    path.write_bytes(path.read_bytes()[:cut])
    good, bad = entries(path)
    assert len(good) >= 1
    assert any("ends early" in reason for reason in bad.values())


@pytest.mark.parametrize("name", ["x.7z", "x.rar", "x.tar.zst"])
def test_archives_that_are_not_read(tmp_path, name):
    (tmp_path / name).write_bytes(b"7z")
    assert ArchiveReader.accepts(str(tmp_path / name))
    with pytest.raises(DataError, match="Unpack it"):
        entries(tmp_path / name)


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path, encoded):
    inner = pack(tmp_path / "in.zip", {"a.png": encoded()}).read_bytes()
    good, bad = entries(pack(tmp_path / "x.tar", {"b.png": encoded(), "in.zip": inner}))
    assert [entry.name for entry in good] == ["x.tar!b.png"] and list(bad) == ["x.tar!in.zip"]
