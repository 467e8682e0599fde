"""The doors as a user finds them: exit codes, messages, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unfog.cli.app import COMMANDS, main


@pytest.mark.parametrize("command", [*COMMANDS, "data list", "data get"])
def test_every_command_has_help_and_json(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip()[0].isdigit()


def test_usage_errors_are_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    assert main(["sample", "--out", "x"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_failures_are_one_and_teach(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(tmp_path), "--out", str(tmp_path / "o"), "--json"]) == 1
    out = capsys.readouterr()
    assert "model" in json.loads(out.out)["error"]
    assert out.err.startswith("Error:") or "Error:" in out.err
    assert "Traceback" not in out.err


def test_debug_shows_where(tmp_path: Path) -> None:
    from unfog.errors import ModelError

    with pytest.raises(ModelError):
        main(["sample", str(tmp_path), "--out", str(tmp_path / "o"), "--debug"])


def test_sample_inspect_and_again(tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(run), "--out", str(tmp_path), "-n", "3", "--steps", "3", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == 3
    assert main(["inspect", files[1], "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["settings"]["steps"] == 3 and made["ai_generated"] is True
    assert main(["sample", "--again", files[1], "--out", str(tmp_path / "again"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"] is True


def test_inspect_a_run_and_a_model(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["finished"] is True
    assert main(["inspect", str(run / "model")]) == 0
    assert "classes" in capsys.readouterr().out


def test_evaluate(run: Path, shapes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", str(run), "--data", str(shapes), "-n", "24", "--steps", "2"]
    assert main([*arguments, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["samples"] == 24 and values["figures"]


def test_data_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list", "--json"]) == 0
    names = {each["name"] for each in json.loads(capsys.readouterr().out)["sets"]}
    assert {"digits", "fashion-mnist", "emoji"} <= names
    assert main(["data", "get", "digitz"]) == 1
    assert "digits" in capsys.readouterr().err
