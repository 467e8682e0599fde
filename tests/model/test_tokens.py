"""Filling canvases: every sampler, one stream of noise for each text, and the folder of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.given import knowing, small_writer
from unfog.errors import ModelError, SampleError
from unfog.model import load
from unfog.model.tokens import part_of
from unfog.sample import TOKEN_SAMPLERS

KINDS = {name: "uniform" if name == "uniform" else "masked" for name in TOKEN_SAMPLERS}


@pytest.mark.parametrize("name", TOKEN_SAMPLERS)
def test_every_sampler_writes_what_the_network_is_sure_of(name: str) -> None:
    model = knowing(small_writer(process={"kind": KINDS[name]}), "My sister hides.")
    assert model.generate(2, sampler=name, steps=20) == ["My sister hides."] * 2


@pytest.mark.parametrize("name", TOKEN_SAMPLERS)
def test_every_sampler_keeps_a_prompt_and_repeats_itself(name: str) -> None:
    model = small_writer(process={"kind": KINDS[name]})
    one, two = (model.generate(3, prompt="The cat", sampler=name, steps=5, seed=4) for _ in range(2))
    assert one == two and all(text.startswith("The cat") for text in one)
    assert model.generate(1, prompt="The cat", sampler=name, steps=5, seed=4) == one[:1], "whatever n is"
    assert model.generate(3, prompt="The cat", sampler=name, steps=5, seed=5) != one


@pytest.mark.parametrize("name", TOKEN_SAMPLERS)
def test_a_sampler_of_the_other_process_is_refused(name: str) -> None:
    other = {"masked": "uniform", "uniform": "masked"}[KINDS[name]]
    with pytest.raises(SampleError, match="--sampler"):
        small_writer(process={"kind": other}).settings(sampler=name)


def test_no_mask_is_left() -> None:
    model = small_writer()
    tokens = model.written([model.layout.beginning()] * 3, steps=1)
    assert tokens.shape == (3, 24) and tokens.dtype == torch.int64
    assert not bool((tokens == model.codec.mask).any())


def test_large_requests_are_cut_into_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    model, told = small_writer(), list[tuple[int, int]]()
    whole = model.generate(5, steps=4)
    monkeypatch.setattr("unfog.model.tokens.TOKENS_AT_ONCE", 48)
    assert model.generate(5, steps=4, progress=lambda *at: told.append(at)) == whole
    assert told[-1] == (12, 12) and told == sorted(told), "three parts of four steps"


def test_a_model_stays_as_it_was_while_it_writes() -> None:
    model = small_writer().train()
    model.generate(1, steps=2)
    assert model.training


def test_parts_of_progress() -> None:
    told = list[tuple[int, int]]()
    part_of(lambda *at: told.append(at), 1, 3)(2, 5)
    assert told == [(7, 15)]


def test_classes_take_turns_and_steer() -> None:
    model = small_writer(classes=("calm", "loud"))
    assert model.choose_labels(3) == [0, 1, 0] and model.choose_labels(2, "loud") == [1, 1]
    texts = {label: model.generate(2, label=label, seed=1, guidance=3.0) for label in ("calm", "loud")}
    assert texts["calm"] != texts["loud"]
    with pytest.raises(SampleError, match="'loud'"):
        model.generate(1, label="lout")


@pytest.mark.parametrize(
    ("changes", "settings", "words"),
    [
        ({}, {"guidance": 2.0}, "classes"),
        ({"classes": ("a", "b"), "network": {"block": 4}}, {"guidance": 2.0}, "block by block"),
        ({}, {"tau": 0.5}, "no setting 'tau'"),
    ],
)
def test_settings_that_the_model_cannot_follow(
    changes: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(SampleError, match=words):
        small_writer(**changes).settings(**settings)


def test_none_changes_nothing() -> None:
    model = small_writer()
    assert model.settings(steps=None, sampler=None) == model.spec.sampling


@pytest.mark.parametrize("length", [-1, 0, 1, 25])
def test_lengths_that_the_model_cannot_see(length: int) -> None:
    with pytest.raises(SampleError, match="2 to 24 tokens"):
        small_writer().length(length)


def test_lengths_that_it_can() -> None:
    assert small_writer().length() == 24 and small_writer().length(2) == 2
    assert small_writer(network={"block": 4}).length(100) == 100


def test_one_that_reads_both_ways_writes_by_blocks_and_fills_in_with_both_sides_in_view() -> None:
    """With the weights of either, it says what a network with blocks, or one without, would have said.

    Steps are those of a block: a canvas of 24 tokens has six.
    """
    both = small_writer(network={"block": 4, "whole": True})
    blocks, whole = small_writer(network={"block": 4}), small_writer()
    for other in (blocks, whole):
        other.load_state_dict(both.state_dict())
    assert both.generate(3, length=40) == blocks.generate(3, length=40), "longer than it sees at once"
    assert both.generate(3, prompt="The old ") == blocks.generate(3, prompt="The old ")
    assert both.generate(3) != whole.generate(3)
    for template, blank in (("The ___ sees a ___.", 2), ("___ dog.", None)):
        assert both.infill(template, 3, blank=blank, steps=4) == whole.infill(
            template, 3, blank=blank, steps=24
        )
    assert both.rewrite("The old fox", 0.5, 3, steps=4) == whole.rewrite("The old fox", 0.5, 3, steps=24)


def test_one_that_reads_both_ways_sees_a_short_canvas_as_a_row() -> None:
    both, whole = small_writer(network={"block": 4, "whole": True}, packed=True), small_writer(packed=True)
    whole.load_state_dict(both.state_dict())
    x, blank = torch.randint(0, 5, (2, 20)), torch.arange(20).expand(2, -1) < 3
    torch.testing.assert_close(both.without(x, blank).rows, whole.without(x, blank).rows)


def test_the_most_likely_tokens_of_a_blank() -> None:
    model = knowing(small_writer(), "Nobody likes bread.", 0)
    x = torch.full((1, 24), 0)
    blank = torch.arange(24)[None] < 6
    assert model.codec.decode(model.guess(x, blank)[0, :6]) == "Nobody"
    assert bool((model.guess(x, blank)[0, 6:] == 0).all())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"process": {"kind": "uniform"}},
        {"network": {"block": 4}},
        {"network": {"block": 4, "whole": True}},
        {"classes": ("a", "b"), "room": 8},
    ],
)
def test_a_saved_model_writes_the_same(tmp_path: Path, changes: dict[str, Any]) -> None:
    model = small_writer(**changes)
    sampler = "uniform" if "process" in changes else "ancestral"
    fingerprint = model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.spec == model.spec and again.fingerprint() == fingerprint
    assert again.generate(2, sampler=sampler, seed=3) == model.generate(2, sampler=sampler, seed=3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"network": {"kind": "txet"}}, "'text'"),
        ({"network": {"widht": 3}}, "'width'"),
        ({"process": {"kind": "uniform"}, "network": {"block": 4}}, "Only masked diffusion"),
    ],
)
def test_models_that_cannot_be(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        small_writer(**changes)
