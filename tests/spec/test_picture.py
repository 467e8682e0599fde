"""What a model is, in plain values, and how model.json is read."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, asdict, dataclass
from typing import Any

import pytest

from tests.given import small_spec
from unfog.errors import SampleError
from unfog.spec import Sampling, begun, choose


def test_a_specification_is_plain_and_fixed() -> None:
    spec = small_spec()
    json.dumps(asdict(spec), allow_nan=False)
    with pytest.raises(FrozenInstanceError):
        spec.target = "noise"


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


def test_beginning_on_the_way_is_between_the_ends_by_equal_factors() -> None:
    whole = Sampling(start=80.0, end=0.05, grid="optimised", levels=(1.0,), steps=1)
    assert begun(whole, 1.0) == whole
    half = begun(whole, 0.5)
    assert half.start == pytest.approx((80 * 0.05) ** 0.5) and half.grid == "karras" and half.levels == ()
    assert whole.end < begun(whole, 0.0).start < 0.052
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(SampleError, match="--strength"):
            begun(whole, wrong)
    with pytest.raises(SampleError, match=r"dpm\+\+2m"):
        begun(Sampling(sampler="learned"), 0.5)
