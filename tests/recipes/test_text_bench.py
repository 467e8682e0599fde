"""What the bench of texts writes and counts, against counting by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import unfog
from tests.given import small_writer
from unfog.errors import DataError
from unfog.recipes import text_bench
from unfog.recipes.listen import Silent
from unfog.recipes.text_bench import Bench, Needed, open_places
from unfog.spec import Writing

pytestmark = pytest.mark.usefixtures("quick_reader")


def counted(model: Any, writing: Writing) -> tuple[float, int]:
    """Calls by the counter, and those of the network itself, for one text."""
    needed, calls, inner = Needed(model), 0, model.denoiser.network.hidden

    def counting(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        return inner(*args, **named)

    model.denoiser.network.hidden = counting
    for _, _, step in model.walk([0], [model.layout.beginning()], None, writing=writing):
        needed.see(step.t, step.x_t, step.x_s)
    model.denoiser.network.hidden = inner
    return float(needed.calls[0]), calls


@pytest.mark.parametrize("sampler", ["ancestral", "confidence", "threshold", "random", "reading"])
@pytest.mark.parametrize("steps", [3, 40])
def test_the_calls_of_one_text_are_those_of_the_network(sampler: str, steps: int) -> None:
    needed, calls = counted(small_writer(), Writing(sampler, steps))
    assert needed == calls <= steps


def test_uniform_noise_needs_every_step() -> None:
    model = small_writer(process={"kind": "uniform", "keep": "linear"})
    assert counted(model, Writing("uniform", 7)) == (7, 7)


@pytest.mark.parametrize("whole", [False, True])
def test_finished_blocks_are_remembered_by_the_calls_of_the_next(whole: bool) -> None:
    model = small_writer(network={"block": 8, "whole": whole})
    needed, calls = counted(model, Writing("random", 4))
    assert calls == needed


def test_texts_do_not_depend_on_how_they_are_batched(writer: Path, texts: Path) -> None:
    model = unfog.load(writer)
    bench = Bench.of(model, texts, 50, Silent())
    written = bench.write(Writing("random", 4), (0, 1))
    assert written.texts[:3] == model.generate(3, seed=424_242, sampler="random", steps=4)
    assert written.calls.max() == 4 and written.calls.min() >= 1, "a text that ends at once needs one"
    assert written.own.shape == (50,) and written.seconds > 0
    assert bench.places == open_places(bench.canvases[0], model) == model.spec.context - 1


def test_summaries_are_written_beneath_sources_nobody_read(summariser: Path, pairs: Path) -> None:
    bench = Bench.of(unfog.load(summariser), pairs, 50, Silent())
    assert bench.wanted is not None and len(bench.wanted) == len(bench.canvases) < 50
    assert bench.labels is not None and set(bench.labels) <= {0, 1}
    assert set(bench.wanted) <= set(bench.real)


def test_too_few_texts_are_refused(writer: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.txt"
    few.write_text("One text.\n\nAnother text.\n\nA third one.", "utf-8")
    with pytest.raises(DataError, match="Give more texts"):
        Bench.of(unfog.load(writer), few, 50, Silent())


def test_the_second_look_at_rows_of_texts_sees_nothing_behind_the_end(texts: Path, monkeypatch: Any) -> None:
    model, seen = small_writer(packed=True), list[torch.Tensor]()
    monkeypatch.setattr(
        text_bench, "second_look", lambda _, shown, *rest: seen.append(shown) or torch.ones(50, 1)
    )
    written = Bench.of(model, texts, 50, Silent()).write(Writing("reading", 40), (0, 1))
    (shown,) = seen
    ended = (shown[:, 1:] == model.codec.end).any(1)
    for row, text, over in zip(shown, written.texts, ended, strict=True):
        assert model.codec.decode(row[1:]) == text
        assert bool((row == model.codec.mask).any()) <= bool(over)
    assert bool(ended.any()) and not bool(ended.all())
