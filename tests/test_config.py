"""Settings: a wrong key is answered with the nearest right one, and files come back as they were."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from unfog.config import Config, nearest, override, parse, read, to_toml
from unfog.errors import ConfigError


class Inner(Config):
    depth: int = 2
    widths: tuple[int, ...] = (32, 64)
    name: str | None = None


class Outer(Config):
    size: int = Field(default=28, ge=1)
    rate: float = 1e-3
    inner: Inner = Field(default_factory=Inner)
    free: dict[str, Any] = Field(default_factory=dict)


class Demanding(Config):
    source: str


def test_plain_values_become_settings() -> None:
    config = parse(Outer, {"size": 32, "inner": {"widths": [8, 16]}}, "here")
    assert config.size == 32 and config.inner.widths == (8, 16) and config.inner.depth == 2


def test_settings_are_fixed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Outer().size = 3


@pytest.mark.parametrize(
    ("values", "place", "hint"),
    [
        ({"szie": 3}, "szie", "'size'"),
        ({"inner": {"dpeth": 3}}, "inner.dpeth", "'depth'"),
        ({"inner": {"width": 3}}, "inner.width", "'widths'"),
        ({"zzz": 3}, "zzz", "Known: free, inner, rate, size."),
    ],
)
def test_an_unknown_key_names_the_nearest(values: dict[str, Any], place: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Outer, values, "settings.toml")
    message = str(caught.value)
    assert message.startswith("settings.toml: ") and f"'{place}'" in message and hint in message


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"size": 0}, "size = 0"),
        ({"size": "many"}, "size = 'many'"),
        ({"inner": {"depth": 1.5}}, "inner.depth = 1.5"),
        ({"inner": {"widths": [8, "x"]}}, "inner.widths.1 = 'x'"),
        ({"inner": 3}, "inner = 3"),
    ],
)
def test_a_bad_value_is_named_with_its_place(values: dict[str, Any], place: str) -> None:
    with pytest.raises(ConfigError, match="not usable") as caught:
        parse(Outer, values, "here")
    assert place in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="source"):
        parse(Demanding, {}, "here")


def test_free_tables_take_any_key() -> None:
    assert parse(Outer, {"free": {"kind": "unet", "depth": 3}}, "here").free == {"kind": "unet", "depth": 3}


@given(
    size=st.integers(1, 10**6),
    rate=st.floats(1e-9, 1e9),
    widths=st.lists(st.integers(1, 999), max_size=5),
    name=st.none() | st.text(st.characters(codec="utf-8"), max_size=20),
)
def test_files_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, size: int, rate: float, widths: list[int], name: str | None
) -> None:
    config = Outer(
        size=size, rate=rate, inner=Inner(widths=tuple(widths), name=name), free={"a": [1, {"b": 2}]}
    )
    path = tmp_path_factory.getbasetemp() / "config.toml"
    path.write_text(to_toml(config), "utf-8", newline="")
    assert read(Outer, path) == config


def test_what_is_not_set_is_left_out_of_the_file() -> None:
    assert "name" not in tomllib.loads(to_toml(Outer()))["inner"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "Cannot read"), (b"a = = 3", "not valid TOML"), (b"\xff\xfe=3", "not valid TOML")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=words) as caught:
        read(Outer, path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("size=32", {"size": 32}),
        ("inner.widths=[8, 16]", {"inner": {"widths": [8, 16]}}),
        ("inner.name=some text", {"inner": {"name": "some text"}}),
        ("inner.name=a=b", {"inner": {"name": "a=b"}}),
        ("rate=1e-3", {"rate": 1e-3}),
        ("free.on=true", {"free": {"on": True}}),
        ("free.off=null", {"free": {"off": None}}),
        (" size =7", {"size": 7}),
        ("inner.name=", {"inner": {"name": ""}}),
        ("inner.name=猫", {"inner": {"name": "猫"}}),
    ],
)
def test_settings_of_the_command_line(setting: str, expected: dict[str, Any]) -> None:
    assert override({}, [setting]) == expected


def test_later_settings_win_and_others_stay() -> None:
    values = {"size": 1, "inner": {"depth": 2, "name": "x"}}
    assert override(values, ["inner.depth=3", "inner.depth=4"]) == {
        "size": 1,
        "inner": {"depth": 4, "name": "x"},
    }


@pytest.mark.parametrize("setting", ["size", "=3", " =3", ""])
def test_a_setting_without_name_or_value_says_how(setting: str) -> None:
    with pytest.raises(ConfigError, match="name=value"):
        override({}, [setting])


def test_a_value_has_nothing_inside() -> None:
    with pytest.raises(ConfigError, match="'size' is a value"):
        override({"size": 3}, ["size.big=4"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dpeth", "Did you mean 'depth'?"),
        ("qqq", "Known: depth, widths."),
        ("Depth", "Did you mean 'depth'?"),
    ],
)
def test_nearest_names(name: str, expected: str) -> None:
    assert nearest(name, ["widths", "depth"]) == expected
