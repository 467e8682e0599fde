import json

import pytest

from unfog.data.captions import LONGEST, MAX_FILE, Tally, clean, describe, in_cell, in_file


def test_a_caption_is_cleaned_and_keeps_its_words():
    assert clean(" a\tred\x07 \u3000apple\u200b\n") == "a red apple"
    assert clean("cafe\u0301") == "caf\u00e9"  # composed, as NFC wants it
    assert clean("half \ud83d letter") == "half letter"
    assert clean("\U0001f468\u200d\U0001f52c") == "\U0001f468\u200d\U0001f52c"  # joined emoji stay joined


def test_every_line_of_a_file_is_a_caption():
    assert in_file("\ufeffa  red apple\r\n\n 一个红苹果 \n".encode()) == ("a red apple", "一个红苹果")
    assert in_file("红苹果".encode("gb18030")) == ("红苹果",)
    assert in_file(b"\xff\xff\xff") and in_file(b"  \n") == ("",)
    assert in_file(b"one long paragraph. " * 100) == (("one long paragraph. " * 100).strip(),)


def test_a_huge_file_is_one_text_even_when_a_letter_is_parted():
    raw = ("a" + "图\n" * 30_000).encode()
    (text,) = in_file(raw[: MAX_FILE + 1])
    assert text.startswith("a图 图 图") and set(text) == set("a图 ")
    assert len(Tally().tidy((text,))[0]) <= LONGEST


@pytest.mark.parametrize(
    ("cell", "captions"),
    [
        ("a  cat", ("a cat",)),
        ("two\nlines", ("two lines",)),
        (["a cat", "一只猫"], ("a cat", "一只猫")),
        (json.dumps(["a cat", "a pet"]), ("a cat", "a pet")),
        ('["not json', ('["not json',)),
        ([{"raw": "a cat", "tokens": ["a", "cat"]}, {"raw": "a pet"}], ("a cat", "a pet")),
        ({"en": "a cat", "zh": "一只猫"}, ("a cat", "一只猫")),
        ("", ("",)),
        (None, ()),
        (float("nan"), ()),
        (7, ("7",)),
    ],
)
def test_what_a_cell_holds(cell, captions):
    assert in_cell(cell) == captions


def test_nothing_is_dropped_without_being_counted():
    tally = Tally()
    assert tally.tidy(("a  cat", "", "a cat", "一" * (LONGEST + 1), "b" * LONGEST)) == (
        "a cat",
        "一" * LONGEST,
        "b" * LONGEST,
    )
    assert (tally.empty, tally.cut, tally.twice) == (1, 1, 1)
    assert len(tally.notes()) == 3 and Tally().notes() == ()


def test_a_set_is_described():
    assert describe((("a", "b"), ())) == ["with a caption: 1 (2 captions); without: 1"]
    assert describe((("a",),) * 11)[1] == "different captions: 1; at more than 10 pictures each: 1"
