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
