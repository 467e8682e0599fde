"""Training from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unfog.cli.app import main


def test_train_then_resume_a_finished_run(
    tmp_path: Path, shapes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    arguments = ["train", "image", "--data", str(shapes), "--out", out, "--steps", "3", "--preset", "tiny"]
    assert main([*arguments, "--set", "train.batch=8", "--samples", "8", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert Path(first["report"]).is_file() and first["steps"] == 3
    assert main([*arguments, "--json"]) == 1
    assert "--resume" in json.loads(capsys.readouterr().out)["error"]
    assert main(["train", "image", "--out", out, "--resume", "--samples", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fingerprint"] == first["fingerprint"]


def test_no_data_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "image", "--out", str(tmp_path / "r")]) == 2
    assert "--data" in capsys.readouterr().err


def test_a_codec_is_evaluated_and_drawn_in_but_not_from(
    tmp_path: Path, shapes: Path, codec_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codec = str(codec_run / "model")
    assert main(["evaluate", codec, "--data", str(shapes), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["psnr"]["value"] > 5
    assert main(["inspect", codec]) == 0
    assert "autoencoder:" in capsys.readouterr().out
    for command in (["sample", codec, "--out", "x"], ["likelihood", codec, "--data", "x"], ["steps", codec]):
        assert main(command) == 1
        assert "--codec" in capsys.readouterr().err
    out = str(tmp_path / "run")
    train = ["train", "image", "--data", str(shapes), "--codec", codec, "--out", out, "--steps", "2"]
    assert main([*train, "--set", "train.batch=8", "--samples", "0", "--json"]) == 0
    assert Path(json.loads(capsys.readouterr().out)["model"]).is_dir()
    assert main(["train", "language", "--data", str(shapes), "--codec", codec, "--out", out]) == 2
    assert "--codec" in capsys.readouterr().err
