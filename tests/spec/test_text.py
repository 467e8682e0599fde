"""How a model of text likes to write: what may be changed, and what is refused in words."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from unfog.errors import SampleError
from unfog.sample import TOKEN_SAMPLERS
from unfog.spec import TextSpec, Writing, choose_writing
from unfog.spec.text import TASKS, check_writing

OWN = Writing(sampler="threshold", steps=7, temperature=0.8, options={"tau": 0.6})


def chosen(**changes: Any) -> Writing:
    """The settings above with some changed."""
    return choose_writing(OWN, changes, TOKEN_SAMPLERS)


def test_what_is_not_changed_stays() -> None:
    assert chosen() == OWN
    assert chosen(steps=9) == dataclasses.replace(OWN, steps=9)


def test_options_are_known_by_their_names() -> None:
    assert chosen(tau=0.3).options == {"tau": 0.3}
    assert chosen(options={"tau": 0.4}).options == {"tau": 0.4}


def test_another_sampler_does_not_get_the_options_of_this_one() -> None:
    assert chosen(sampler="ancestral").options == {}
    assert chosen(sampler="remask", eta=0.1).options == {"eta": 0.1}


@pytest.mark.parametrize("name", TOKEN_SAMPLERS)
def test_every_option_of_every_sampler_can_be_set(name: str) -> None:
    known = {f.name for f in dataclasses.fields(Writing)}
    own = {f.name: f.default for f in dataclasses.fields(TOKEN_SAMPLERS[name]) if f.name not in known}
    found = chosen(sampler=name, **own)
    assert found.sampler == name and found.options == own
    TOKEN_SAMPLERS[name](temperature=found.temperature, top_p=found.top_p, **found.options)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sampler": "ancestrl"}, "'ancestral'"),
        ({"stepz": 3}, "'steps'"),
        ({"tua": 0.3}, "'tau'"),
        ({"sampler": "ancestral", "tau": 0.3}, "'ancestral' has no setting 'tau'"),
        ({"seed": 3}, "no setting 'seed'"),
        ({"options": 3}, "by their names"),
        ({"options": {"tua": 0.3}}, "'tau'"),
        ({"tau": "much"}, "0 or more"),
        ({"tau": True}, "0 or more"),
        ({"tau": -1}, "0 or more"),
        ({"tau": float("nan")}, "0 or more"),
        ({"steps": 0}, "at least one"),
        ({"steps": -2}, "at least one"),
        ({"steps": 2.5}, "at least one"),
        ({"steps": True}, "at least one"),
        ({"steps": "many"}, "at least one"),
        ({"temperature": -0.1}, "0 \\(most likely\\) to 10"),
        ({"temperature": 10.5}, "0 \\(most likely\\) to 10"),
        ({"temperature": float("nan")}, "0 \\(most likely\\) to 10"),
        ({"temperature": "warm"}, "temperature=warm: give a number, e.g. temperature=1"),
        ({"temperature": True}, "give a number"),
        ({"top_p": 0}, "above 0, at most 1"),
        ({"top_p": 1.01}, "above 0, at most 1"),
        ({"top_p": float("nan")}, "above 0, at most 1"),
        ({"top_p": [1]}, "give a number"),
        ({"guidance": "strong"}, "give a number"),
        ({"guidance": float("inf")}, "1 is off"),
        ({"guidance": float("nan")}, "1 is off"),
    ],
)
def test_bad_settings_are_answered_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SampleError, match=words) as caught:
        chosen(**changes)
    assert len(str(caught.value).splitlines()) <= 2


@pytest.mark.parametrize("good", [{"temperature": 0}, {"temperature": 10}, {"top_p": 1e-9}, {"top_p": 1}])
def test_the_ends_of_the_ranges_are_allowed(good: dict[str, Any]) -> None:
    check_writing(dataclasses.replace(Writing(), **good))


def test_a_specification_is_plain_values() -> None:
    spec = TextSpec("language", {"kind": "text"}, {"kind": "masked"}, 64, "ab" * 32, sampling=OWN)
    values = json.loads(json.dumps(dataclasses.asdict(spec)))
    values["sampling"] = Writing(**values["sampling"])
    for name in ("tasks", "classes"):
        values[name] = tuple(values[name])
    assert TextSpec(**values) == spec
    assert set(spec.tasks) <= set(TASKS)
