"""What the page of a model of text computes, against what is known."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

import unfog
from tests.given import knowing, small_writer
from unfog.errors import ModelError
from unfog.process import KEEPS
from unfog.recipes.explain_text import (
    ask_with_neighbours,
    curves,
    explain_text,
    forget,
    is_of_text,
    weigh_shares,
)
from unfog.recipes.explain_text_subject import TextSubject, open_text
from unfog.recipes.listen import Silent
from unfog.spec import Writing

KINDS = ("masked", "uniform")


def subject_of(kind: str = "masked", block: int = 0, **more: object) -> TextSubject:
    """A small model that wrote some texts."""
    sampler = "uniform" if kind == "uniform" else "ancestral"
    process = {"kind": kind, "keep": "cosine"}
    model = small_writer(process=process, network={"block": block}, sampling=Writing(sampler, 6), **more)
    return open_text(model, None, 0, Silent())


def test_what_is_a_model_of_text(writer: Path, tmp_path: Path) -> None:
    assert is_of_text(str(writer)) and is_of_text(str(writer / "model"))
    assert not is_of_text("cosine") and not is_of_text(str(tmp_path / "nowhere"))
    with pytest.raises(ModelError, match=r"model\.json"):
        is_of_text(str(tmp_path))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_lost_stays_lost(kind: str) -> None:
    subject = subject_of(kind)
    codec = subject.model.codec  # characters in whole, so that each token is a cell
    text = [codec.end, *codec.encode_text("The old fox sees."), *[codec.end] * 24][: subject.x.shape[1]]
    canvases = forget(replace(subject, x=torch.tensor(text).expand_as(subject.x)), 0)
    assert canvases[0].t == 0 and canvases[0].share == pytest.approx(1) and canvases[-1].share < 1e-6
    first = canvases[0].cells
    assert {cell.kind for cell in first} <= {"kept", "end"}
    if kind == "masked":
        hidden = [{i for i, cell in enumerate(c.cells) if cell.kind == "hidden"} for c in canvases]
        assert all(a <= b for a, b in pairwise(hidden))
        assert len(hidden[-1]) == subject.model.spec.context - 1
    else:
        assert any(cell.kind == "lost" for cell in canvases[-1].cells)


def test_curves_begin_with_the_models_own() -> None:
    found = curves(subject_of(), "cosine")
    assert next(iter(found)) == "cosine" and sorted(found) == sorted(KEEPS)
    t = np.linspace(0, 1, 101)
    assert np.allclose(found["linear"], 1 - t) and np.allclose(
        found["cosine"], 1 - np.cos(np.pi / 2 * (1 - t))
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("block", [0, 8])
def test_guesses_with_ever_more_neighbours(kind: str, block: int) -> None:
    if kind == "uniform" and block:
        pytest.skip("only masked diffusion writes block by block")
    subject = subject_of(kind, block)
    truth, guesses = ask_with_neighbours(subject)
    assert guesses[0].seen == 0 and guesses[-1].seen == int(subject.free[0].sum()) - 1
    assert [g.seen for g in guesses] == sorted({g.seen for g in guesses})
    for guess in guesses:
        shares = [share for _, share in guess.tokens]
        assert shares == sorted(shares, reverse=True) and sum(shares) <= 1 + 1e-6
        assert sum(cell.kind == "asked" for cell in guess.cells) == 1
        assert 0 <= guess.entropy <= math.log2(subject.model.codec.vocabulary)
        assert all(share == pytest.approx(guess.true) for token, share in guess.tokens if token == truth)


def test_a_model_that_is_sure_is_never_surprised() -> None:
    model = knowing(small_writer(), "A dog sees the moon.")
    subject = open_text(model, None, 0, Silent())
    losses = weigh_shares(subject, 0, Silent())
    assert losses.area < 1e-6 and losses.count == 64
    _, guesses = ask_with_neighbours(subject)
    assert all(guess.true > 0.999 for guess in guesses)


@pytest.mark.parametrize("block", [0, 8])
def test_a_model_that_knows_nothing_pays_for_every_token(block: int) -> None:
    subject = subject_of(block=block)
    model = subject.model
    with torch.no_grad():
        for weight in model.denoiser.network.parameters():
            weight.zero_()
    losses = weigh_shares(subject, 0, Silent())
    assert losses.lines["network"] == pytest.approx(math.log2(model.codec.mask), abs=1e-4)
    assert losses.lines["even"] == pytest.approx(losses.lines["network"], abs=1e-4)


def test_a_page_of_held_out_texts(writer: Path, texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    found = explain_text(str(writer), out, data=str(texts), seed=1)
    values = json.loads(json.dumps(found.values))
    assert found.path == out and values["texts"] == "held_out" and not values["other_data"]
    bits = values["loss"]["bits"]
    assert set(bits) == {"network", "frequency", "even"} and bits["frequency"][0] < bits["even"][0]
    html = out.read_text("utf-8")
    assert f"unfog explain {writer.name} --out page.html --data" in html
    again = explain_text(str(writer), tmp_path / "again.html", data=str(texts), seed=1)
    assert {**again.values, "page": 0, "seconds": 0} == {**found.values, "page": 0, "seconds": 0}


def test_a_page_of_summaries(summariser: Path, pairs: Path, tmp_path: Path) -> None:
    explain_text(str(summariser), tmp_path / "page.html", data=str(pairs), lang="zh")
    assert "需要概括的原文" in (tmp_path / "page.html").read_text("utf-8")
    assert len(unfog.load(summariser).spec.classes) == 2
