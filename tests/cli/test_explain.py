"""Explaining from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unfog.cli.app import main
from unfog.cli.explain import LANGUAGES
from unfog.output.explain_words import WORDS
from unfog.recipes import explain_toy, explain_walks


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_walks, "FINE", 20)
    monkeypatch.setattr(explain_walks, "STEPS", (2,))
    monkeypatch.setattr(explain_toy, "WALKS", 40)


def test_the_languages_are_those_there_are() -> None:
    assert list(LANGUAGES) == list(WORDS)


def test_explain(run: Path, shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert main(["explain", str(run), "--out", str(page), "--data", str(shapes), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert Path(values["page"]) == page and page.is_file()
    assert values["pictures"] == "held_out" and not values["other_data"]
    assert main(["explain", "ve", "--out", str(page), "--data", str(shapes), "--lang", "zh"]) == 0
    assert str(page) in capsys.readouterr().out


def test_explain_a_model_of_text(
    writer: Path, texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert main(["explain", str(writer), "--out", str(page), "--data", str(texts), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert Path(values["page"]) == page and page.is_file() and values["process"] == "masked"
    assert main(["explain", str(writer), "--out", str(page), "--lang", "zh"]) == 0
    assert str(page) in capsys.readouterr().out and "遗忘" in page.read_text("utf-8")


def test_a_model_that_summarises_asks_for_texts(
    summariser: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", str(summariser), "--out", str(tmp_path / "page.html")]) == 2
    assert "--data" in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["cosin"], 2, "Did you mean 'cosine'"),
        (["nothing-like-it"], 2, "Known: "),
        (["cosine", "--lang", "fr"], 2, "--lang en or --lang zh"),
        (["."], 1, "model.json"),
        (["cosine", "--data", "nowhere"], 1, "nowhere"),
    ],
)
def test_what_cannot_be_explained(
    words: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", *words]) == code
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err and len(err.splitlines()) <= 2
    assert not list(tmp_path.iterdir())
