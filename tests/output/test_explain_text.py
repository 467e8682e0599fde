"""The page of a model of text: whole in both languages, and what texts say is only text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.output.test_report import Page
from unfog.errors import OutputError
from unfog.output.explain_text import merged, write_text_explanation
from unfog.output.explain_text_words import WORDS
from unfog.output.explained_text import Attempt, Canvas, Cell, Guess, Order, TextExplanation, TextLosses

SECTIONS = ["forward", "guesses", "orders", "steps", "losses", "made"]
LOST = (np.arange(10) + 0.5) / 10


def whole(text: str = "moon", **changes: Any) -> TextExplanation:
    """A page with something in every part."""
    cells = [Cell(text), Cell("░", "hidden"), Cell("░", "hidden"), Cell(text, "new", 0.52), Cell("∎", "end")]
    canvases = [Canvas(t=1.0, share=0.0, cells=[Cell("░", "hidden")]), Canvas(t=0.0, share=1.0, cells=cells)]
    values: dict[str, Any] = {
        "title": text,
        "kind": "masked",
        "keep": "cosine",
        "block": 0,
        "origin": "held_out",
        "source": text,
        "other_data": True,
        "weights": 480_000,
        "vocabulary": 6_212,
        "tokens": "bpe",
        "context": 26,
        "label": text,
        "given": text,
        "curves": {"cosine": LOST, "linear": LOST},
        "forward": canvases,
        "truth": text,
        "guesses": [Guess(seen=n, cells=cells, tokens=[(text, 0.7)], true=0.7, entropy=1.5) for n in (0, 4)],
        "orders": [Order(name=name, calls=7, canvases=canvases) for name in ("random", "margin")],
        "steps": 12,
        "attempts": {"random": [Attempt(steps=n, calls=n, text=text, bits=3.2) for n in (1, 4)]},
        "losses": TextLosses(lost=LOST, lines={"network": 8 * LOST, "even": LOST * 0 + 9}, count=64),
        "made_by": {text: text},
        "command": text,
    }
    return TextExplanation(**{**values, **changes})


def html_of(folder: Path, page: TextExplanation, lang: str = "en") -> str:
    """The page as text."""
    return write_text_explanation(folder / "page.html", page, lang=lang).read_text("utf-8")


@pytest.mark.parametrize("lang", WORDS)
@pytest.mark.parametrize("kind", ["masked", "uniform"])
@pytest.mark.parametrize("block", [0, 16])
def test_a_whole_page_that_needs_nothing_else(tmp_path: Path, lang: str, kind: str, block: int) -> None:
    html = html_of(tmp_path, whole(kind=kind, block=block), lang)
    page, w = Page(html), WORDS[lang]
    assert not page.open and page.ids == SECTIONS
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert not {"script", "iframe", "object", "embed", "form"} & set(page.tags)
    for key in ("forward", "guesses", "orders", "steps", "losses", "generated", "curves_text"):
        assert w[key] in page.text
    assert w[f"forward_{kind}_text"] in page.text and (w["each_block"].format(n=16) in page.text) == bool(
        block
    )
    assert "70 %" in page.text and "t = 0.00" in page.text


def test_the_area_under_the_curve_is_told(tmp_path: Path) -> None:
    assert "4 bits" in Page(html_of(tmp_path, whole())).text  # the mean of 8 times the share lost
    assert "perplexity of 16" in Page(html_of(tmp_path, whole())).text
    assert "perplexity" not in Page(html_of(tmp_path, whole(kind="uniform"))).text


def test_shades_say_how_sure_it_was(tmp_path: Path) -> None:
    assert '<i class="new" style="--p:0.5">moon</i>' in html_of(tmp_path, whole())


def test_neighbours_that_look_the_same_are_one() -> None:
    cells = [Cell("a"), Cell("b"), Cell("c", "new", 0.51), Cell("d", "new", 0.49), Cell("e", "new", 0.9)]
    assert [(part["text"], part["sure"]) for part in merged(cells)] == [
        ("ab", ""),
        ("cd", "0.5"),
        ("e", "0.9"),
    ]


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "{{ 7*7 }}", "</p></section>"]
)
def test_what_texts_say_is_only_text(tmp_path: Path, words: str) -> None:
    page = Page(html_of(tmp_path, whole(words)))
    assert not page.open and not {"script", "img"} & set(page.tags)
    assert page.text.count(words) >= 9


def test_the_same_page_twice(tmp_path: Path) -> None:
    assert html_of(tmp_path, whole()) == html_of(tmp_path, whole())


def test_an_unknown_language(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="--lang"):
        write_text_explanation(tmp_path / "x.html", whole(), lang="fr")
    assert not list(tmp_path.iterdir())
