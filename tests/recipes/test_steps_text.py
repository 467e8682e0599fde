"""Which order of naming, and how many steps: measured, compared, kept."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import unfog
from tests.given import small_writer
from unfog.evaluate.figure import Figure
from unfog.model import restate
from unfog.process import KEEPS, MaskedProcess
from unfog.recipes.steps_text import (
    TextTrial,
    adopt_text,
    advise_text,
    choose,
    exact_way,
    fitting,
    one_at_a_time,
    plans_of,
    variety_of,
)
from unfog.sample import TOKEN_SAMPLERS
from unfog.spec import Writing


def trial(calls: float, bits: float, own: float = 3.0, entropy: float = 8.0) -> TextTrial:
    """A trial with these figures."""
    some = [Figure.of(value, None, 50) for value in (calls, bits, own, entropy)]
    return TextTrial(Writing(), some[0], 24, 100.0, 24.0, some[1], some[2], some[3], some[3])


EXACT = trial(24, 4.0)


@pytest.mark.parametrize(
    ("others", "calls"),
    [
        ([trial(4, 4.1)], 4),  # as good and cheaper
        ([trial(4, 4.3)], 24),  # too surprising
        ([trial(4, 2.0, entropy=7.0)], 24),  # foreseeable because it is dull
        ([trial(4, 4.0, own=3.3)], 24),  # falls apart, and the reader does not see it
        ([trial(4, 4.0), trial(8, 3.0)], 8),  # something better is there
        ([trial(4, 4.0), trial(8, 3.9)], 4),
    ],
)
def test_the_cheapest_that_is_good(others: Sequence[TextTrial], calls: float) -> None:
    assert choose(others, EXACT, 1.0).calls.value == calls


def test_below_real_texts_is_no_merit() -> None:
    assert choose([trial(4, 4.0), trial(8, 3.0)], EXACT, 3.9).calls.value == 4


@pytest.mark.parametrize("keep", KEEPS)
@pytest.mark.parametrize("places", [1, 7, 24])
def test_the_exact_way_names_one_token_a_step(keep: str, places: int) -> None:
    model = small_writer(context=places + 1, process={"kind": "masked", "keep": keep})
    process = model.denoiser.process
    assert isinstance(process, MaskedProcess)
    writing = exact_way(model, places)
    assert writing.steps == one_at_a_time(process, places)
    hidden = places
    for _, _, step in model.walk([0], [model.layout.beginning()], None, writing=writing):
        left = int((step.x_s == model.codec.mask).sum())
        assert hidden - left in (0, 1)
        hidden = left
    assert hidden == 0


def test_every_sampler_fits_one_kind_of_model() -> None:
    masked = fitting(small_writer())
    uniform = fitting(small_writer(process={"kind": "uniform", "keep": "linear"}))
    assert sorted([*masked, *uniform]) == sorted(TOKEN_SAMPLERS) and uniform == ["uniform"]


def test_entropies_of_known_texts() -> None:
    found = variety_of(["a b c d"] * 20, 80)
    assert found["entropy1"].value == pytest.approx(2.0) and found["entropy4"].value == 0.0
    assert found["entropy1"].low == pytest.approx(2.0)  # whichever group is left out
    assert variety_of(["a b"] * 20, 40)["entropy4"].value is None


def test_what_the_model_does_now_is_tried_too(summariser: Path) -> None:
    model = small_writer()
    exact = exact_way(model, 21)
    for steps, added in ((21, 0), (5, 1)):
        model.spec = replace(model.spec, sampling=Writing("ancestral", steps, temperature=0.5))
        exact = exact_way(model, 21)
        plans = plans_of(model, exact, 21)
        assert len(plans) == len(set(map(repr, plans))) == 4 * len(fitting(model)) + added
        assert model.spec.sampling in plans
        assert all(plan.temperature == 0.5 for plan in plans)
    assert model.spec.sampling not in plans_of(model, exact, 21, counts=(4,))
    of_pairs = unfog.load(summariser)
    (now,) = [p for p in plans_of(of_pairs, exact_way(of_pairs, 3), 3) if p.steps > 3]
    assert now == of_pairs.settings(**of_pairs.for_summary())


@pytest.mark.usefixtures("quick_reader")
def test_measure_and_keep(writer: Path, texts: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(writer, tmp_path / "run"))
    model = unfog.load(folder)
    advice = advise_text(model, texts, 50, counts=(2, 500))
    most = model.spec.context - 1
    tried = {(each.writing.sampler, each.writing.steps) for each in advice.trials}
    assert tried == {(name, count) for name in fitting(model) for count in (2, most)}
    assert advice.reference.calls.value is not None and 2 < advice.reference.calls.value <= most
    assert advice.texts == 50
    same = next(t for t in advice.trials if (t.writing.sampler, t.writing.steps) == ("random", most))
    assert same.bits == advice.reference.bits and same.own == advice.reference.own
    for each in advice.trials:
        assert each.calls.value is not None and 0 < each.calls.value <= each.writing.steps
    adopt_text(model, advice)
    restate(model, folder)
    again = unfog.load(folder)
    assert again.spec.sampling == advice.chosen.writing and again.history[-1]["event"] == "steps"
    assert again.fingerprint() == unfog.load(writer).fingerprint(), "it is still the same model"
    chosen = advice.chosen.writing
    assert again.generate(1) == model.generate(1, sampler=chosen.sampler, steps=chosen.steps)


@pytest.mark.usefixtures("quick_reader")
def test_summaries_are_held_against_what_was_wanted(summariser: Path, pairs: Path) -> None:
    advice = advise_text(unfog.load(summariser), pairs, 50, counts=(3,))
    assert all(t.rouge is not None and "rougeL" in t.to_dict() for t in (*advice.trials, advice.reference))


def test_summaries_near_what_was_wanted_come_first() -> None:
    """The cheapest is chosen among those that are about as near as the nearest, whatever the reader says."""
    near, far = (
        replace(trial(calls, bits), rouge=Figure.of(rouge, None, 50))
        for calls, bits, rouge in ((8, 4.3, 0.30), (4, 4.0, 0.25))
    )
    exact = replace(EXACT, rouge=Figure.of(0.26, None, 50))
    assert choose([near, far], exact, 1.0).calls.value == 8
    assert choose([replace(near, rouge=Figure.of(0.26, None, 50)), far], exact, 1.0).calls.value == 4


def test_what_was_measured_for_summaries_writes_them(summariser: Path) -> None:
    model = unfog.load(summariser)
    once = model.spec.once
    assert once > 0
    assert model.for_summary() == {"sampler": "confidence", "temperature": 0.3, "no_repeat": once}
    assert (exact_way(model, 8).temperature, exact_way(model, 8).no_repeat) == (0.3, once)
    model.history.append({"event": "steps"})
    assert model.for_summary(steps=4, top_p=None) == {"steps": 4}
