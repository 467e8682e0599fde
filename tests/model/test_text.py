"""What people ask of a model of text: to write, complete, fill in, summarise and rewrite."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.given import knowing, small_writer
from unfog.codec import TokenCodec
from unfog.errors import SampleError
from unfog.model import TextModel

KINDS: dict[str, dict[str, Any]] = {
    "masked": {},
    "packed": {"packed": True},
    "blocks": {"network": {"block": 4}},
    "both": {"network": {"block": 4, "whole": True}, "packed": True},
}


def model_of(kind: str) -> TextModel:
    """A small model of one of the kinds above."""
    return small_writer(**KINDS[kind])


def test_as_many_texts_as_are_asked_for() -> None:
    texts = small_writer().generate(3)
    assert len(texts) == 3 and all(isinstance(text, str) for text in texts) and len(set(texts)) > 1


def test_temperature_nought_is_the_most_likely_text() -> None:
    model = small_writer()
    texts = {seed: model.generate(1, sampler="confidence", temperature=0, seed=seed)[0] for seed in range(4)}
    assert len(set(texts.values())) == 1
    warm = {model.generate(1, sampler="confidence", seed=seed)[0] for seed in range(4)}
    assert len(warm) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_is_part_of_the_text(kind: str) -> None:
    assert all(text.startswith("Nobody ") for text in model_of(kind).generate(4, prompt="Nobody "))


def test_a_canvas_may_be_shorter() -> None:
    model = knowing(small_writer(), "The old fox sees")
    assert model.generate(1, length=8) == ["The old "[: 8 - model.layout.beginning().start]]


def test_blanks_of_a_known_length_are_filled() -> None:
    model = knowing(small_writer(), "My sister hides.")
    assert model.infill("My ___ hides.", 2, blank=6) == ["My sister hides."] * 2
    assert model.infill("___ sister ____.", blank=2)[0] == "My sister hi.", "both blanks have two tokens"


@pytest.mark.parametrize("network", [{}, {"block": 4}])
def test_a_word_in_a_blank_brings_the_space_before_it(network: dict[str, Any]) -> None:
    codec = TokenCodec.learn(["The old fox sees a dog\n and a cat."] * 9, "bpe", 300)
    model = small_writer(codec=codec, network=network)
    for text in model.generate(12, prompt="The old "):
        assert text.startswith("The old ")
    if not network:
        assert all(text.startswith("The old ") for text in model.infill("The old ___ sees", 12, blank=2))
    free = [text.startswith("The old ") for text in model.generate(12, prompt="The old")]
    assert not all(free), "else any token may follow"


def test_the_length_of_a_blank_is_found() -> None:
    """Only with six tokens do the words behind the blank stand where the network wants them."""
    model, told = knowing(small_writer(), "My sister hides."), list[tuple[int, int]]()
    assert model.infill("My ___ hides.", progress=lambda *at: told.append(at)) == ["My sister hides."]
    assert told == sorted(told) and told[-1][0] == told[-1][1]


def test_versions_of_a_blank_are_repeated_by_their_seed() -> None:
    model = small_writer()
    texts = model.infill("A ___.", 3, seed=2)
    assert texts == model.infill("A ___.", 3, seed=2)
    assert texts[:1] == model.infill("A ___.", 1, seed=2)


def test_what_was_given_behind_a_blank_stays() -> None:
    model = knowing(small_writer(), "My ")  # and END from there on
    assert model.infill("My ___ hides.", blank=3)[0].endswith(" hides.")


def test_a_model_of_uniform_noise_fills_in() -> None:
    model = small_writer(process={"kind": "uniform"})
    assert model.infill("My ___.", sampler="uniform", steps=4)[0].startswith("My ")


@pytest.mark.parametrize("kind", ["masked", "packed"])
def test_any_blank_fits_that_has_room_for_one_token(kind: str) -> None:
    longest = 24 - 2 - model_of(kind).layout.beginning().start
    texts = model_of(kind).infill("a" * longest + "___")
    assert texts[0].startswith("a" * longest)
    with pytest.raises(SampleError, match="shorter"):
        model_of(kind).infill("a" * 24 + "___")


def test_a_summary_is_what_stands_behind_the_source() -> None:
    model = small_writer(tasks=("write", "summarize"), room=8)
    source = "A dog."
    knowing(model, "The fox", model.layout.beneath(source).start)
    assert model.summarize(source, 2) == ["The fox"] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_summary_leaves_little_to_chance_unless_asked_to(kind: str) -> None:
    model = small_writer(**{**KINDS[kind], "tasks": ("write", "summarize"), "room": 8})
    careful = model.settings(**model.for_summary(steps=None))
    assert careful.temperature == 0.3 and careful.steps == model.spec.sampling.steps
    assert model.summarize("A dog.", seed=1) == model.summarize("A dog.", seed=1, **vars(careful))
    assert model.settings(**model.for_summary(temperature=1.0)).temperature == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_no_run_of_tokens_is_written_twice_where_that_is_asked(kind: str) -> None:
    """In all of the tasks; of a text in blocks the blocks before it count, too."""
    model = model_of(kind)
    canvases = [model.layout.beginning("My"), model.layout.beginning("A cat")]

    def repeats(**settings: Any) -> int:
        rows = model.written(canvases, temperature=0.1, seed=3, **settings).tolist()
        runs = [[run for run in pairwise(row[1:]) if model.codec.end not in run] for row in rows]
        return sum(len(each) - len(set(each)) for each in runs)

    assert repeats(no_repeat=2) == 0 < repeats(), "or there would be nothing to see"
    alone = model.generate(1, no_repeat=2, temperature=0.1, seed=3)
    assert model.generate(4, no_repeat=2, temperature=0.1, seed=3)[:1] == alone
    with pytest.raises(SampleError, match="whole number"):
        model.generate(1, no_repeat=-1)


def test_uniform_noise_takes_no_such_rule() -> None:
    with pytest.raises(SampleError, match="leave no_repeat out"):
        small_writer(process={"kind": "uniform"}).generate(1, sampler="uniform", no_repeat=2)


@pytest.mark.parametrize("process", ["masked", "uniform"])
def test_a_source_that_is_read_once_leads_to_the_same_summary(
    process: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap = small_writer().codec.gap
    model = small_writer(
        tasks=("write", "summarize"), room=8, process={"kind": process}, network={"gap": gap}
    )
    sure = {"sampler": "uniform" if process == "uniform" else "confidence", "temperature": 0.0}
    read, asked = type(model.denoiser.network).read, list[tuple[int, ...]]()

    def spy(network: Any, source: Any, *rest: Any) -> Any:
        asked.append(tuple(source.shape))
        return read(network, source, *rest)

    monkeypatch.setattr(type(model.denoiser.network), "read", spy)
    once = model.summarize("The old fox.", 3, **sure)
    assert asked == [(3, 16)], "and not at every step"
    monkeypatch.setattr(model, "gap", None)
    again = model.summarize("The old fox.", 3, **sure)
    # uniform noise begins with other tokens, as it is drawn for the whole canvas
    assert len(asked) == 1 and (again == once or process == "uniform")


def test_summaries_need_pairs() -> None:
    with pytest.raises(SampleError, match=r"not trained to summarise.*unfog train language"):
        small_writer().summarize("A dog.")


def test_a_rewritten_text_keeps_what_was_not_forgotten() -> None:
    """With a network that says nothing but spaces, the share of spaces is the share that was forgotten."""
    model = knowing(small_writer(), " " * 24)
    text = "Mysisterhidesthemoon"
    for strength in (0.3, 0.7, 1.0):
        found = "".join(model.rewrite(text, strength, 50))
        assert len(found) == 50 * len(text)
        share = found.count(" ") / len(found)
        assert share == pytest.approx(strength, abs=5 * (0.25 / len(found)) ** 0.5 if strength < 1 else 0)
    first = model.rewrite(text, 0.5, 1)[0]
    assert all(new in (old, " ") for old, new in zip(text, first, strict=True))


@pytest.mark.parametrize("strength", [0.0, -0.5, 1.1, float("nan")])
def test_strength_is_a_share(strength: float) -> None:
    with pytest.raises(SampleError, match="above 0 to 1"):
        small_writer().rewrite("A dog.", strength)


def test_canvases_of_many_lengths_are_written_in_one_request() -> None:
    model, told = small_writer(), list[tuple[int, int]]()
    prompts = {"A": 8, "My": 12, "The": 8}
    canvases = [model.layout.beginning(prompt, length) for prompt, length in prompts.items()]
    texts = model.write(canvases, seed=1, progress=lambda *at: told.append(at))
    assert all(text.startswith(prompt) for text, prompt in zip(texts, prompts, strict=True))
    assert told[-1][0] == told[-1][1]
    alone = model.written(canvases[2:], numbers=[2], seed=1)
    assert texts[2] == model.codec.decode(alone[0, canvases[2].start :]), "each by its own number"


def test_a_model_of_uniform_noise_writes_and_completes() -> None:
    model = small_writer(process={"kind": "uniform"})
    assert all(
        text.startswith("The ") for text in model.generate(3, prompt="The ", sampler="uniform", steps=4)
    )
