import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from unfog import atomic
from unfog.atomic import atomic_folder, atomic_path, atomic_write, clear_leftovers
from unfog.errors import OutputError


def names(folder):
    return sorted(item.name for item in folder.iterdir())


def fail_with(code):
    def fail(*_args, **_kwargs):
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("data", [b"\x00\xff", "línea\r\n文", b""])
def test_writes_exactly_what_was_given(tmp_path, data):
    path = atomic_write(tmp_path / "new" / "folders" / "x.bin", data)
    assert path.read_bytes() == (data if isinstance(data, bytes) else data.encode())
    assert names(path.parent) == ["x.bin"]


def test_replaces_the_old_file(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    atomic_write(path, "new")
    assert path.read_text() == "new"


def test_never_overwrites_when_told_not_to(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(OutputError, match="Will not overwrite"):
        atomic_write(path, "new", replace=False)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("modern", [True, False])
def test_loses_the_race_for_a_new_name_gracefully(tmp_path, monkeypatch, modern):
    if not modern:
        monkeypatch.setattr(atomic, "_renameat2", lambda: None)
    path = tmp_path / "x"
    with (
        pytest.raises(OutputError, match="Will not overwrite"),
        atomic_path(path, replace=False) as temporary,
    ):
        temporary.write_text("ours")
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert names(tmp_path) == ["x"]


def test_without_links_and_renameat2_a_new_file_still_appears(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_renameat2", lambda: None)
    monkeypatch.setattr(os, "link", fail_with(errno.EPERM))
    assert atomic_write(tmp_path / "x", "new", replace=False).read_text() == "new"
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("error", [RuntimeError("middle"), KeyboardInterrupt()])
def test_failure_in_the_middle_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "model.safetensors"
    path.write_text("old")
    with pytest.raises(type(error)), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["model.safetensors"]


def test_temporary_name_keeps_the_suffix_and_folder(tmp_path):
    with atomic_path(tmp_path / "a.png") as temporary:
        assert temporary.suffix == ".png" and temporary.parent == tmp_path
        temporary.touch()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "Check"),
    ],
)
def test_disk_errors_name_the_file_and_the_next_step(tmp_path, monkeypatch, code, words):
    monkeypatch.setattr(os, "fsync", fail_with(code))
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(OutputError, match=words) as caught:
        atomic_write(path, "new")
    assert str(path) in str(caught.value) and ".unfog-" not in str(caught.value)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["x"]


def test_full_disk_told_by_a_rust_library(tmp_path):
    with pytest.raises(OutputError, match="disk is full"), atomic_path(tmp_path / "x.safetensors"):
        raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")


def test_errors_about_other_files_pass(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "x"):
        (tmp_path / "elsewhere" / "input").read_bytes()


def test_bad_places(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="is a file, not a folder"):
        atomic_write(tmp_path / "file" / "x", "")
    with pytest.raises(OutputError, match="a folder of that name exists"):
        atomic_write(tmp_path / "folder", "")
    with pytest.raises(OutputError, match="too long"):
        atomic_write(tmp_path / ("x" * 300), "")
    assert atomic_write(tmp_path / ("x" * 255), "").exists()
    with pytest.raises(OutputError, match="left no file"), atomic_path(tmp_path / "y"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="no permission"):
            atomic_write(tmp_path / "x", "")
    finally:
        tmp_path.chmod(0o700)


def test_permission_message(tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.open", fail_with(errno.EACCES))
    with pytest.raises(OutputError, match="no permission"):
        atomic_write(tmp_path / "x", "")


def fill(folder, text):
    (folder / "sub").mkdir()
    (folder / "sub" / "a.txt").write_text(text)


@pytest.mark.parametrize("modern", [True, False])
def test_folder_appears_complete_and_replaces(tmp_path, monkeypatch, modern):
    if not modern:
        monkeypatch.setattr(atomic, "_renameat2", lambda: None)
    for text in ("old", "new"):
        with atomic_folder(tmp_path / "model") as temporary:
            fill(temporary, text)
            assert not (tmp_path / "model" / "sub" / "a.txt").exists() or text == "new"
        assert (tmp_path / "model" / "sub" / "a.txt").read_text() == text
    assert names(tmp_path) == ["model"]


def test_failed_folder_leaves_the_old_one(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a").write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "model") as temporary:
        (temporary / "a").write_text("half")
        raise ZeroDivisionError
    assert (tmp_path / "model" / "a").read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_second_rename_failing_brings_the_old_folder_back(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_renameat2", lambda: None)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a").write_text("old")
    real, calls = os.rename, []

    def rename(source, target):
        calls.append(source)
        if len(calls) == 2:
            raise OSError(errno.EIO, "no")
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(OutputError), atomic_folder(tmp_path / "model") as temporary:
        fill(temporary, "new")
    assert (tmp_path / "model" / "a").read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_folder_refusals(tmp_path):
    (tmp_path / "model").write_text("a file")
    with pytest.raises(OutputError, match="is a file"), atomic_folder(tmp_path / "model"):
        pass
    with (
        pytest.raises(OutputError, match="Will not overwrite"),
        atomic_folder(tmp_path / "model", replace=False),
    ):
        pass


def test_inner_errors_speak_of_the_final_name(tmp_path, monkeypatch):
    with pytest.raises(OutputError) as caught, atomic_folder(tmp_path / "model") as temporary:
        monkeypatch.setattr(os, "fsync", fail_with(errno.ENOSPC))
        atomic_write(temporary / "weights.bin", b"x")
    assert str(Path("model") / "weights.bin") in str(caught.value) and ".unfog-" not in str(caught.value)


def test_killed_writer_leaves_the_old_file_and_its_leftover_is_cleared(tmp_path):
    path = tmp_path / "x.bin"
    path.write_text("old")
    code = (
        "import os, signal, sys\nfrom unfog.atomic import atomic_path\n"
        "with atomic_path(sys.argv[1]) as t:\n"
        "    t.write_text('half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == 2
    with atomic_path(tmp_path / "mine") as temporary:
        temporary.write_text("busy")
        assert clear_leftovers(tmp_path) == 1  # not the one of this living process
    assert names(tmp_path) == ["mine", "x.bin"]
