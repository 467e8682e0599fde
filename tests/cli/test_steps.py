"""Advice on sampling from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from unfog.cli.app import main
from unfog.recipes import steps


@pytest.fixture
def copy(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {"PROBED": 16, "LEARNED_FROM": 16, "BATCH": 16}.items():
        monkeypatch.setattr(steps, name, value)
    return Path(shutil.copytree(run, tmp_path / "run"))


def test_steps(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (copy / "model" / "model.json").read_text("utf-8")
    words = ["steps", str(copy), "-n", "50", "--calls", "4", "--reference", "20"]
    assert main([*words, "--no-learn", "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert "Frechet distance" in text and "Best: " in text and "20 steps of DDPM" in text
    assert (copy / "model" / "model.json").read_text("utf-8") == before
    assert main([*words, "--optimise", "3", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["stored"] and list(values["learned"]) == ["3"]
    assert Path(values["chart"]) == copy / "steps.png" and (copy / "steps.png").is_file()
    assert json.loads((copy / "model" / "model.json").read_text("utf-8"))["learned"].keys() == {"3"}
    assert (
        main(
            ["sample", str(copy), "--out", str(copy / "p"), "-n", "2", "--sampler", "learned", "--steps", "3"]
        )
        == 0
    )
    picture = next((copy / "p").glob("00*.png"))
    assert main(["sample", str(copy), "--again", str(picture), "--out", str(copy / "q"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["identical"]


def test_data_that_is_gone_is_asked_for(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["steps", str(copy), "--data", str(copy / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err
