"""Advice on writing from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from unfog.cli.app import main

pytestmark = pytest.mark.usefixtures("quick_reader")


@pytest.fixture
def copy(writer: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(writer, tmp_path / "run"))


def test_steps_of_a_model_of_text(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = copy / "model" / "model.json"
    before = model.read_text("utf-8")
    words = ["steps", str(copy), "-n", "50", "--calls", "3"]
    assert main([*words, "--dry-run"]) == 0
    text = capsys.readouterr().out
    for part in ("bits per character", "real texts", "beside: random", "Best: ", "one token at a time", " *"):
        assert part in text
    assert model.read_text("utf-8") == before
    assert main([*words, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["stored"] and values["texts"] == 50 and len(values["quality"]) == 8
    assert Path(values["chart"]) == copy / "steps.png" and (copy / "steps.png").is_file()
    kept = json.loads(model.read_text("utf-8"))["sampling"]
    assert (kept["sampler"], kept["steps"]) == (values["chosen"]["sampler"], values["chosen"]["steps"])
    assert main(["write", str(copy), "--json"]) == 0


def test_summaries_have_a_column_of_their_own(
    summariser: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["steps", str(summariser), "-n", "50", "--calls", "2", "--data", str(pairs), "--dry-run"]
    assert main([*words, "--out", str(tmp_path / "chart.png")]) == 0
    assert "ROUGE-L" in capsys.readouterr().out and (tmp_path / "chart.png").is_file()


@pytest.mark.parametrize(
    ("words", "code", "said"), [(["--optimise", "6"], 2, "--optimise"), (["--data", "nowhere"], 1, "nowhere")]
)
def test_what_does_not_fit(
    copy: Path, words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["steps", str(copy), *words]) == code
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err
