"""Drawing from the command line, and drawing a file once more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from unfog.cli.app import main


def test_sample_inspect_and_again(tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(run), "--out", str(tmp_path), "-n", "3", "--steps", "3", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == 3
    assert main(["inspect", files[1], "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["settings"]["steps"] == 3 and made["ai_generated"] is True
    assert main(["sample", "--again", files[1], "--out", str(tmp_path / "again"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"] is True


def test_a_label_that_does_not_exist(tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(run), "--out", str(tmp_path), "--label", "dragon"]) == 1
    assert "dragon" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        ["--sampler", "ddimm"],
        ["--steps", "0"],
        ["--grid", "kara"],
        ["-n", "0"],
        ["--autoguidance", "-1"],
        ["--guidance", "nan"],
        ["--set", "guidance_kind=plane"],
        ["--set", "guidance_rescale=2"],
    ],
)
def test_wrong_settings_teach(
    tmp_path: Path, run: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", str(run), "--out", str(tmp_path), *wrong, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]


def test_a_label_by_classifier_and_back(
    tmp_path: Path, run: Path, shapes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--classifier", str(shapes), "--classifier-scale", "2", "--autoguidance", "1.5", "--steps", "2"]
    assert (
        main(["sample", str(run), "--out", str(tmp_path), "-n", "2", "--label", "0", *words, "--json"]) == 0
    )
    files = json.loads(capsys.readouterr().out)["files"]
    assert main(["sample", "--again", files[1], "--out", str(tmp_path / "again"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"] is True


def test_a_scale_needs_a_classifier(tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(run), "--out", str(tmp_path), "--classifier-scale", "2"]) == 2
    assert "--classifier DATA" in capsys.readouterr().err


def test_a_picture_instead_of_words(
    visual_run: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # ten million pixels, as a printer has them
    large = Image.effect_noise((3600, 2800), 40).convert("CMYK")
    large.save(tmp_path / "print.jpg")
    command = ["sample", str(visual_run), "--out", str(tmp_path / "out"), "-n", "2", "--steps", "2", "--json"]
    assert main([*command, "--like", str(tmp_path / "print.jpg")]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == 2
    again = ["sample", str(visual_run), "--out", str(tmp_path / "again"), "--again", files[0], "--json"]
    assert main(again) == 0 and json.loads(capsys.readouterr().out)["identical"]
    like = ["--like", files[0]]
    assert main([*command, *like, "--strength", "0.4", "--edit", "a red square -> a blue square"]) == 0
    assert main([*command, *like, *like]) == 0
    capsys.readouterr()
    (tmp_path / "text.png").write_text("no picture")
    for wrong, told in ((tmp_path / "text.png", "not a picture"), (tmp_path / "none.png", "no picture")):
        assert main([*command, "--like", str(wrong)]) == 1
        assert told in json.loads(capsys.readouterr().out)["error"]
    command[1] = str(run)
    assert main([*command, *like]) == 1
    assert "no visual words" in json.loads(capsys.readouterr().out)["error"]
