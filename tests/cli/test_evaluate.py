"""Measuring from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unfog.cli.app import main


def test_evaluate(run: Path, shapes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", str(run), "--data", str(shapes), "-n", "24", "--steps", "2"]
    assert main([*arguments, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["samples"] == 24 and values["figures"]


def test_other_classes_are_refused(
    tmp_path: Path, run: Path, shapes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    other = tmp_path / "other"
    shutil.copytree(shapes, other)
    first = next(p for p in sorted(other.iterdir()) if p.is_dir())
    first.rename(other / "zebra")
    assert main(["evaluate", str(run), "--data", str(other), "-n", "4", "--json"]) == 1
    assert "zebra" in json.loads(capsys.readouterr().out)["error"]
