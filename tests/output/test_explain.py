"""The page of an explanation: whole, in order, self-contained, in both languages, safe against names."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.output.test_report import Page
from unfog.errors import OutputError
from unfog.output.explain import render_explanation, write_explanation
from unfog.output.explain_words import WORDS
from unfog.output.explained import (
    Attempt,
    Comparison,
    Curves,
    Explanation,
    Field,
    LevelLosses,
    Reading,
    Readings,
    SamplerRow,
    Toy,
    Wandering,
)
from unfog.output.facts import Backward, Forward
from unfog.output.provenance import Provenance

RNG = np.random.default_rng(0)
SECTIONS = ["forward", "readings", "backward", "toy", "losses", "samplers", "made"]
T = np.linspace(0, 1, 9)


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def reading(name: str, asked: str, difference: float) -> Reading:
    sizes = {"noise": 1.0, "score": 1.4142, "clean": 0.9, "velocity": 1.5}
    return Reading(
        name=name, t=0.5, alpha=0.7, sigma=0.7, as_is=noise(8, 8, 1), scaled=noise(8, 8, 1),
        difference=difference, sizes=sizes, asked=asked, recovered=2e-7,
    )  # fmt: skip


@cache
def everything(name: str = "cat", is_model: bool = True) -> Explanation:
    walk = RNG.standard_normal((3, 9))
    wander = Wandering(
        drift=-2.5, diffusion=2.25, t=T, paths=walk, band=walk, walked=(1.23, 0.71), formula=(1.24, 0.705),
        walkers=4000,
    )  # fmt: skip
    asked = {"ddpm": "noise", "sgm": "score", "sde": "score", "flow": "velocity"}
    readings = Readings(
        rows=[reading(each, what, float(i) * 1e-7) for i, (each, what) in enumerate(asked.items())],
        decibels=-0.004, step=259, steps=1000, betas=(1e-4, 0.02), chain_std=0.99,
        ladder=noise(3, 8, 8, 1), rungs=[0.5, 1, 2],
        quantities={key: noise(8, 8, 1) for key in ("noise", "score", "clean", "velocity")}, wander=wander,
    )  # fmt: skip
    plane = RNG.standard_normal((9, 2))
    toy = Toy(
        data=plane, fields=[Field(level=0.4, points=plane, places=plane, arrows=plane)],
        flow=RNG.standard_normal((2, 5, 2)), wander=RNG.standard_normal((2, 5, 2)), steps=(48, 240),
        walks=2000, upper={"flow": 0.505, "wander": 0.4955, "data": 0.5},
    )  # fmt: skip
    main = "network" if is_model else "exact"
    losses = LevelLosses(decibels=T, lines={main: T / 2, "pixelwise": T, "constant": T}, count=32)
    attempts = [
        Attempt(steps=n, calls=2 * n - 1, pictures=noise(4, 8, 8, 1), distance=1 / n, plane=2 / n)
        for n in (5, 10)
    ]
    rows = [SamplerRow(name=name, order=2, stochastic=True, attempts=attempts)]
    return Explanation(
        title=name, is_model=is_model, origin="drawn" if is_model else "known", source=name,
        other_data=is_model, known=0 if is_model else 200, schedule="cosine", target="v",
        weights=620_000 if is_model else 0, asked=(name, "b"), sampler=("ddim", 20), guidance=1.5,
        forward=Forward(pictures=noise(9, 8, 8, 1), t=T, alpha=np.cos(T), sigma=np.sin(T)),
        curves=Curves(t=T, alpha=1 - T, sigma=T, log_ratio=np.linspace(9, -9, 9)), readings=readings,
        backward=Backward(noisy=noise(2, 9, 8, 8, 1), clean=noise(2, 9, 8, 8, 1), t=T[::-1]), toy=toy,
        losses=losses,
        comparison=Comparison(
            rows=rows, reference=noise(4, 8, 8, 1), reference_name="heun", reference_steps=200, grid="karras"
        ),
        provenance=Provenance(model="ab" * 32) if is_model else None, made_by={"model": "ab" * 32},
        command=f"unfog explain {name}",
    )  # fmt: skip


@pytest.mark.parametrize("is_model", [True, False])
@pytest.mark.parametrize("lang", list(WORDS))
def test_whole_page_in_order_and_self_contained(tmp_path: Path, lang: str, is_model: bool) -> None:
    path = write_explanation(tmp_path / "page.html", everything(is_model=is_model), lang=lang)
    html = path.read_text("utf-8")
    page = Page(html)
    assert not page.open
    assert page.ids == SECTIONS
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert not {"script", "iframe", "object", "embed", "form"} & set(page.tags)
    assert not re.search(r"url\((?!#)|@import|https?://", html)
    assert "default-src 'none'" in html
    assert path.stat().st_size < 300_000
    for link in (address for address in page.addresses if address.startswith("#")):
        assert link[1:] in page.ids
    assert "{" not in page.text.split("</style>")[-1].split("}")[-1]


def test_figures_are_told_in_words() -> None:
    text = Page(render_explanation(everything())).text
    for words in (
        "the network of cat: 0.62 million weights",
        "These are not exactly the pictures",
        "where the SNR is 0 dB",
        "the first 259 were taken one by one",
        "f = −2.5 and g = 2.25",
        "4,000 such paths have mean 1.23 and standard deviation 0.71; the formula says 1.24 and 0.705",
        "50.5 % of the flow and 49.5 % of the chain",
        "5 steps, 9 calls",
        "with guidance 1.5",
        "asked for cat and b",
        "to within 2e−7",
    ):
        assert words in text, words
    chinese = Page(render_explanation(everything(), lang="zh")).text
    assert "cat 的网络：62 万个参数" in chinese and "逐步走了前 259 步" in chinese


def test_the_bold_word_is_what_the_reading_asks_for() -> None:
    html = render_explanation(everything())
    rows = re.findall(r"<tr><td>(.*?)</td>(.*?)</tr>", html)
    assert [name for name, _ in rows] == ["DDPM", "SGM", "SDE", "Flow"]
    bold = [["bold" in cell for cell in re.findall(r"<td[^>]*>", cells)].index(True) for _, cells in rows]
    assert bold == [0, 1, 1, 3]


def test_only_what_a_network_drew_is_called_generated() -> None:
    assert "AI-generated" in render_explanation(everything())
    assert "AI-generated" not in render_explanation(everything(is_model=False))


def test_names_are_text() -> None:
    bad = "<script>alert(1)</script>"
    html = render_explanation(replace(everything(bad), made_by={bad: bad}))
    assert "<script>" not in html
    assert bad in Page(html).text


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(OutputError, match="en and zh"):
        render_explanation(everything(), lang="fr")


def test_samplers_that_do_the_same_are_told() -> None:
    whole = everything()
    row = whole.comparison.rows[0]
    other = replace(row, name="other", attempts=[replace(each, plane=9.0) for each in row.attempts])
    twin = replace(row, name="twin", stochastic=False)
    found = replace(whole, comparison=replace(whole.comparison, rows=[row, other, twin]))
    notes = re.findall(r"<strong>(cat|other|twin)</strong>(.*?)</div>", render_explanation(found))
    assert [(name, "the same as cat" in text) for name, text in notes] == [
        ("cat", False), ("other", False), ("twin", True)
    ]  # fmt: skip


def test_a_refusal_is_told() -> None:
    whole = everything()
    row = replace(whole.comparison.rows[0], attempts=[Attempt(steps=50)])
    page = render_explanation(replace(whole, comparison=replace(whole.comparison, rows=[row])))
    assert (
        "no picture with so many steps" in page and "inf" not in Page(page).text.split("</style>")[-1].split()
    )
