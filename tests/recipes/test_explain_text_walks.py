"""The way back: every order, and few steps beside many."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

import unfog
from tests.given import knowing, small_writer
from unfog.recipes.explain_text_subject import TextSubject, open_text
from unfog.recipes.explain_text_walks import ROWS, compare_steps, order_steps, plain, walk_orders
from unfog.recipes.listen import Silent
from unfog.recipes.steps_text import fitting
from unfog.spec import Writing

TEXT = "A dog sees the moon."


def subject_of(model: unfog.model.TextModel) -> TextSubject:
    """The model with one text that it wrote."""
    return open_text(model, None, 0, Silent())


@pytest.mark.parametrize("block", [0, 8])
def test_every_order_ends_with_the_text(block: int) -> None:
    model = small_writer(network={"block": block})
    orders = walk_orders(subject_of(model), 3, Silent())
    assert [order.name for order in orders] == fitting(model)
    for order in orders:
        first, *_, last = order.canvases
        assert first.share == 0 and last.share == 1 and len(order.canvases) <= ROWS
        text = "".join(cell.text for cell in last.cells).split("∎")[0]
        writing = plain(model, order.name, order_steps(model))
        assert text == model.write([model.layout.beginning()], seed=3, **vars(writing))[0]


def test_shades_are_the_probabilities_of_the_model() -> None:
    sure = knowing(small_writer(), TEXT)
    for order in walk_orders(subject_of(sure), 0, Silent()):
        cells = [cell for canvas in order.canvases for cell in canvas.cells if cell.kind == "new"]
        assert cells and all(cell.sure is not None and cell.sure > 0.999 for cell in cells)
    model = small_writer()
    flat = torch.zeros_like(sure.denoiser.network.logits)
    sure.denoiser.network.logits = torch.nn.Parameter(flat)
    (first, *_) = walk_orders(subject_of(sure), 0, Silent())
    shades = {cell.sure for canvas in first.canvases for cell in canvas.cells if cell.kind == "new"}
    assert max(abs(shade - 1 / model.codec.mask) for shade in shades if shade is not None) < 1e-6


def test_uniform_tokens_change_and_change_again() -> None:
    model = small_writer(process={"kind": "uniform", "keep": "linear"}, sampling=Writing("uniform", 6))
    (order,) = walk_orders(subject_of(model), 0, Silent())
    assert order.calls == order_steps(model)
    assert order.canvases[0].share == 0 and order.canvases[-1].share == 1
    assert not any(cell.kind == "hidden" for canvas in order.canvases for cell in canvas.cells)


def test_few_and_many_steps(writer: Path) -> None:
    model = unfog.load(writer)
    own = dataclasses.replace(model.spec.sampling, sampler="margin")
    model.spec = dataclasses.replace(model.spec, sampling=own)
    found = compare_steps(subject_of(model), 5, Silent())
    assert list(found) == ["ancestral", "confidence", "margin"]
    for name, attempts in found.items():
        assert [each.steps for each in attempts] == sorted({each.steps for each in attempts})
        assert attempts[0].steps == attempts[0].calls == 1 and attempts[-1].calls > 10
        assert attempts[1].text == model.generate(1, seed=5, sampler=name, steps=2)[0]
        assert all(each.bits > 0 for each in attempts)
