import os

import pytest

from unfog.data.reader import Entry, Options, Reader, plain_reason, readable, stamp


def test_a_stamp_changes_with_name_size_and_time(tmp_path):
    path = tmp_path / "a"
    path.write_text("1")
    os.utime(path, ns=(1, 1))
    first = stamp(path)
    os.utime(path, ns=(1, 2))
    second = stamp(path)
    path.write_text("12")
    os.utime(path, ns=(1, 2))
    assert len({first, second, stamp(path), stamp(path.rename(tmp_path / "b"))}) == 4


def test_names_can_always_be_written():
    assert readable("猫 1.png") == "猫 1.png"
    assert readable(os.fsdecode(b"\xff.png")) == "\ufffd.png"


def test_reasons_do_not_repeat_the_path(tmp_path):
    with pytest.raises(OSError) as error:
        (tmp_path / "none").stat()
    assert plain_reason(error.value) == "cannot be read: No such file or directory"
    assert plain_reason(OSError("odd")) == "cannot be read: odd"


def test_an_entry_is_a_picture_or_a_reason():
    assert Entry("a").reason == "" and Entry("a").held is None
    assert Options() == Options(None, None, None, None, None)


def test_a_reader_says_all_three_things():
    with pytest.raises(TypeError, match="abstract"):
        Reader("x")
