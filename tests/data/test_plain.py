"""Text files as people have them: any line end, any folder, some of them no text at all."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfog.data.document import TextOptions
from unfog.data.plain import LeftOut, PlainReader, cut_text, decode_text, text_files
from unfog.errors import ConfigError, DataError

POEM = "床前明月光，疑是地上霜。\n舉頭望明月，低頭思故鄉。"


def read(source, **options):
    return list(PlainReader(str(source), TextOptions(**options)).documents())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_one_text_however_it_is_written(encoding, end):
    assert decode_text(POEM.replace("\n", end).encode(encoding)) == POEM


def test_the_offset_of_the_first_wrong_byte():
    with pytest.raises(LeftOut, match=r"not UTF-8: byte 0xFF at offset 4"):
        decode_text(b"abcd\xffe")
    with pytest.raises(LeftOut, match=r"offset 1,003"):
        decode_text(b"\xef\xbb\xbf" + b"a" * 1000 + b"\xff")
    with pytest.raises(LeftOut, match=r"binary file: a zero byte at offset 3"):
        decode_text(b"\x89PN\0\xff")
    with pytest.raises(LeftOut, match=r"not utf-16"):
        decode_text("ab".encode("utf-16") + b"a")


def test_chinese_of_another_encoding_is_named_not_guessed():
    raw = POEM.encode("gb18030")
    with pytest.raises(LeftOut, match=r"byte 0xB4 at offset 0 \(it may be gb18030\)"):
        decode_text(raw)
    assert decode_text(raw, "gb18030") == POEM
    with pytest.raises(LeftOut, match=r"not ascii.*offset 0$"):
        decode_text("ü".encode() + b"ber" * 9, "ascii")
    with pytest.raises(ConfigError, match="no encoding 'martian'"):
        decode_text(raw, "martian")


def test_what_a_document_is():
    text = "\n\none\ntwo  \n \t\n\u3000\n\n  three\n\n"
    assert cut_text(text, "blank") == ["one\ntwo", "  three"]
    assert cut_text(text, "line") == ["one", "two", "  three"]
    assert cut_text(text, "file") == ["one\ntwo  \n \t\n\u3000\n\n  three"]
    assert cut_text(" \n\n", "file") == cut_text("", "blank") == []


def test_a_file_alone_is_parted_at_blank_lines(tmp_path, put):
    path = put(tmp_path / "a.txt", b"one\r\n\r\ntwo")
    assert [(d.name, d.text, d.group) for d in read(path)] == [("a.txt#0", "one", ""), ("a.txt#1", "two", "")]
    assert [d.text for d in read(path, cut="file")] == ["one\n\ntwo"]
    assert [d.text for d in read(put(tmp_path / "novel", POEM.encode()), cut="line")] == POEM.split("\n")
    with pytest.raises(ConfigError, match="Choose from: auto, file, blank, line"):
        read(path, cut="page")


def test_a_folder_of_files_with_classes(tmp_path, put):
    put(tmp_path / "tang" / "b.txt", POEM.encode())
    put(tmp_path / "tang" / "deep" / "a.md", b"# a\n\nb")
    put(tmp_path / "song" / "c.txt", b"c")
    put(tmp_path / "song" / "c.png", b"\x89PNG")
    put(tmp_path / ".hidden" / "d.txt", b"d")
    found = read(tmp_path)
    assert [(d.name, d.label) for d in found if not d.reason] == [
        ("song/c.txt", "song"),
        ("tang/b.txt", "tang"),
        ("tang/deep/a.md", "tang"),
    ]
    assert found[2].text == "# a\n\nb" and found[2].group == "tang/deep/a.md"
    assert [(d.name, d.reason) for d in found if d.reason] == [("song/c.png", "not a text file")]
    lines = read(tmp_path, cut="line")
    assert {d.group for d in lines if d.name.startswith("tang/b.txt#")} == {"tang/b.txt"}


def test_an_official_split_of_folders(tmp_path, put):
    put(tmp_path / "test" / "a.txt", b"a")
    put(tmp_path / "train" / "x" / "b.txt", b"b")
    found = read(tmp_path)
    assert [(d.name, d.label, d.held) for d in found] == [
        ("train/x/b.txt", "x", False),
        ("test/a.txt", None, True),
    ]


def test_files_that_are_no_text_are_left_out_of_a_folder_and_refused_alone(tmp_path, put):
    put(tmp_path / "a.txt", b"good")
    put(tmp_path / "b.txt", b"ab\0")
    put(tmp_path / "c.txt", "é".encode("latin-1"))
    put(tmp_path / "d.txt", b"")
    reasons = {d.name: d.reason for d in read(tmp_path)}
    assert reasons == {
        "a.txt": "",
        "b.txt": "binary file: a zero byte at offset 2",
        "c.txt": "not UTF-8: byte 0xE9 at offset 0",
        "d.txt": "empty file",
    }
    with pytest.raises(DataError, match=r"'b\.txt'.*offset 2\.\nGive text"):
        read(tmp_path / "b.txt")
    with pytest.raises(DataError, match=r"'c\.txt'.*offset 0\.\nName its encoding: --set data\.encoding"):
        read(tmp_path / "c.txt")
    assert [d.text for d in read(tmp_path / "c.txt", encoding="latin-1")] == ["é"]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_links_are_followed_once(tmp_path, put):
    put(tmp_path / "in" / "a.txt", b"a")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nothing")
    files, other = text_files(tmp_path)
    assert [parts for parts, _ in files] == [("in", "a.txt")]
    assert other == [("gone.txt", "not a text file")]


def test_progress_is_in_bytes(tmp_path, put):
    put(tmp_path / "a.txt", b"12345")
    put(tmp_path / "b.txt", b"123")
    reader = PlainReader(str(tmp_path))
    next(documents := reader.documents())
    assert (reader.done, reader.total) == (5, 8)
    list(documents)
    assert reader.done == 8


@given(st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
def test_any_bytes_are_text_or_left_out(raw):
    try:
        text = decode_text(raw)
    except LeftOut as reason:
        assert "offset" in str(reason) or str(reason).startswith("not utf-16")
    else:
        assert "\r" not in text
        if not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            assert text == raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        for cut in ("file", "blank", "line"):
            assert all(part.strip("\ufeff \t\u3000") for part in cut_text(text, cut))
