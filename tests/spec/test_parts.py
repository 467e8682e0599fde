"""Parts from plain options, and how model.json is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from unfog.codec import PixelStatistics
from unfog.errors import ModelError, SampleError
from unfog.nets import UNetConfig
from unfog.spec import FORMAT, build_part, describe, lookup


def test_parts_are_built_from_json() -> None:
    built = build_part(UNetConfig, {"widths": [16, 32], "patch": 1}, "network")
    assert built == UNetConfig(widths=(16, 32), patch=1)


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"network 'unet' has no setting 'widhts'.*'widths'"):
        build_part(UNetConfig, {"widhts": [16]}, "network 'unet'")


def test_a_missing_option_is_an_error_in_words() -> None:
    with pytest.raises(ModelError, match="pixel statistics"):
        build_part(PixelStatistics, {"count": 3}, "pixel statistics")


def test_look_ups_name_the_nearest() -> None:
    table = {"ddim": 1, "ddpm": 2, "heun": 3}
    assert lookup(table, "heun", "sampler") == 3
    with pytest.raises(SampleError, match=r"no sampler 'huen'.*'heun'"):
        lookup(table, "huen", "sampler")
    with pytest.raises(SampleError, match="Known: ddim, ddpm, heun"):
        lookup(table, "xyz", "sampler")


def write(folder: Path, content: str) -> Path:
    (folder / "model.json").write_text(content, "utf-8")
    return folder


def test_a_description_of_this_format_is_read(tmp_path: Path) -> None:
    assert describe(write(tmp_path, f'{{"format": {FORMAT}, "x": 1}}')) == {"format": FORMAT, "x": 1}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "damaged"),
        ('{"format": 1', "damaged"),
        ("[1]", "does not describe"),
        ("{}", "does not describe"),
        ('{"format": "1"}', "does not describe"),
        (f'{{"format": {FORMAT + 1}}}', f"format {FORMAT + 1}.*pip install -U unfog"),
    ],
)
def test_other_descriptions_are_refused_in_words(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        describe(write(tmp_path, content))
    assert str(tmp_path) in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="damaged"):
        describe(tmp_path)


def test_no_description_at_all(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model\.json"):
        describe(tmp_path)
    (tmp_path / "model.json").mkdir()
    with pytest.raises(ModelError, match="Cannot read"):
        describe(tmp_path)
