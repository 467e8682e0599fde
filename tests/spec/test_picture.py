"""What a model is, in plain values, and how model.json is read."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.given import small_spec
from unfog.codec import PixelStatistics
from unfog.errors import ModelError, SampleError
from unfog.nets import UNetConfig
from unfog.spec import FORMAT, Sampling, build_part, choose, describe, lookup


def test_a_specification_is_plain_and_fixed() -> None:
    spec = small_spec()
    json.dumps(asdict(spec), allow_nan=False)
    with pytest.raises(FrozenInstanceError):
        spec.target = "noise"


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


def test_the_default_sampling_is_usable() -> None:
    sampling = Sampling()
    assert sampling.guidance == 1.0 and 0 < sampling.end < sampling.start and sampling.steps >= 1


@dataclass(frozen=True)
class Plain:
    """A sampler without options."""


@dataclass(frozen=True)
class Noisy:
    """A sampler with some."""

    eta: float = 0.5
    parts: tuple[float, ...] = ()


KINDS = {"dpm++2m": Plain, "noisy": Noisy}


def test_options_belong_to_their_sampler() -> None:
    noisy = choose(Sampling(), {"sampler": "noisy", "eta": 0.7}, KINDS)
    assert (noisy.sampler, noisy.options) == ("noisy", {"eta": 0.7})
    assert choose(noisy, {"steps": 3}, KINDS).options == {"eta": 0.7}
    assert choose(noisy, {"parts": [0.1]}, KINDS).options == {"eta": 0.7, "parts": [0.1]}
    assert choose(noisy, {"sampler": "dpm++2m"}, KINDS).options == {}, "another sampler has its own"
    assert choose(noisy, {"options": {"eta": 0.1}}, KINDS).options == {"eta": 0.1}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"eta": 0.5}, "'dpm\\+\\+2m' has no setting 'eta'"),
        ({"stepz": 5}, "'steps'"),
        ({"sampler": "noisy", "etta": 0.5}, "'eta'"),
        ({"sampler": "noisy", "eta": "much"}, "eta=0.5"),
        ({"sampler": "noisy", "eta": -1}, "number of 0 or more"),
        ({"sampler": "noisi"}, "'noisy'"),
    ],
)
def test_wrong_options_are_answered_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SampleError, match=words):
        choose(Sampling(), changes, KINDS)
