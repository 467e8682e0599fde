"""Reading back what made a thing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unfog.cli.app import main


def test_inspect_a_run_and_a_model(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["finished"] is True
    assert main(["inspect", str(run / "model")]) == 0
    assert "classes" in capsys.readouterr().out


def test_what_is_not_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    assert main(["inspect", str(tmp_path / "a.png")]) == 1
    assert "does not say" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "missing.png"), "--json"]) == 1
    assert "does not exist" in json.loads(capsys.readouterr().out)["error"]
