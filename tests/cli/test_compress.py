"""A model in half the bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unfog.cli.app import main


def test_a_run_becomes_a_smaller_model_that_still_draws(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compress", str(run), "--out", str(tmp_path / "small"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bytes"] < 0.6 * told["bytes_before"]
    assert main(["sample", str(tmp_path / "small"), "--out", str(tmp_path / "new"), "-n", "1"]) == 0
    assert main(["compress", str(run), "--out", str(tmp_path / "small")]) == 2
    assert "exists" in capsys.readouterr().err
