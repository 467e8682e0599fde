"""The report of a run on texts: what it wrote, how, and its figures beside those of real texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from unfog.recipes.language_story import HIDDEN, canvases
from unfog.recipes.train import train

WORDS = ("red", "blue", "old", "small", "happy", "sleepy")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on pairs: a sentence, and its colour."""
    folder = tmp_path_factory.mktemp("pairs")
    lines = [
        f'{{"text": "the {a} cat saw the {b} dog {i}", "summary": "{a} {b}"}}'
        for i in range(8)
        for a in WORDS
        for b in WORDS
    ]
    (folder / "cats.jsonl").write_text("\n".join(lines), "utf-8")
    train(
        "language",
        folder / "cats.jsonl",
        folder / "run",
        steps=3,
        preset="tiny",
        settings=("data.tokens=byte", "network.width=64", "network.depth=1", "train.batch=8"),
        samples=4,
    )
    return folder / "run"


def test_the_report_of_pairs_shows_summaries_and_rouge(pairs: Path) -> None:
    page = (pairs / "report.html").read_text("utf-8")
    for words in ("ROUGE-1", "→", "Held out", "unfog train language", "<svg"):
        assert words in page, words
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_canvases_go_from_hidden_to_written(pairs: Path) -> None:
    from unfog.model import load_text

    model = load_text(pairs / "model")
    found = canvases(model, prompt="the ")
    times = [time for time, _ in found]
    assert times == sorted(times, reverse=True) and times[-1] == 0.0
    assert found[0][1].startswith("the ") and found[0][1].count(HIDDEN) > 10
    assert HIDDEN not in found[-1][1]
