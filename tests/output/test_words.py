import re
import string

import pytest

from unfog.errors import OutputError
from unfog.output.words import METRICS, WORDS, duration, large, number, percent, tight, words


def test_both_languages_say_the_same_things():
    english, chinese = words("en"), words("zh")
    assert english.keys() == chinese.keys()
    fields = {
        lang: {
            key: sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for key, text in table.items()
        }
        for lang, table in WORDS.items()
    }
    assert fields["en"] == fields["zh"]
    assert METRICS["en"].keys() == METRICS["zh"].keys()
    assert {key: row[2:] for key, row in METRICS["en"].items()} == {
        key: row[2:] for key, row in METRICS["zh"].items()
    }


def test_chinese_is_chinese():
    plain = {"n", "join", "lang", "stop", "millisecond"}
    for key, text in words("zh").items():
        bare = re.sub(r"\{\w+\}", "", text)
        assert key in plain or re.search(r"[\u4e00-\u9fff]", bare) or key == "network_kind", key
        assert not re.search(r"[\u4e00-\u9fff][,;:?!]", bare), key  # Chinese stops after Chinese words


def test_unknown_language():
    with pytest.raises(OutputError, match="--lang en"):
        words("fr")


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (999, "999", "999"),
        (4500, "4,500", "4,500"),
        (48_000, "48,000", "4.8 万"),
        (483_210, "0.48 million", "48.3 万"),
        (12_345_678, "12.3 million", "1,235 万"),
        (2_000_000_000, "2 billion", "20 亿"),
    ],
)
def test_large_numbers(value, english, chinese):
    assert (large(value, "en"), large(value, "zh")) == (english, chinese)


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0.006, "6 ms", "6 毫秒"),
        (1, "1 second", "1 秒"),
        (240, "4 minutes", "4 分钟"),
        (245, "4 minutes 5 seconds", "4 分钟 5 秒"),
        (3700, "1 hour 1 minute", "1 小时 1 分钟"),
        (7200, "2 hours", "2 小时"),
        (1234, "20 minutes", "20 分钟"),
    ],
)
def test_durations(seconds, english, chinese):
    assert (duration(seconds, "en"), duration(seconds, "zh")) == (english, chinese)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.5, "50 %"), (0.1234, "12.3 %"), (0.0001, "< 0.1 %"), (0.9999, "99.99 %")],
)
def test_per_cent(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (12_000, "12k"),
        (1_500_000, "1.5M"),
        (0.003, "0.003"),
        (1e-5, "1e-5"),
        (2.5, "2.5"),
        (-4, "-4"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_chinese_characters_stand_close():
    assert tight("61.8 万 个参数，用时 4 分钟") == "61.8 万个参数，用时 4 分钟"
    assert tight("one two") == "one two"
