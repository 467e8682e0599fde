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


def test_pairs_are_measured_and_judge(
    pairs_run: Path, coloured: Path, run: Path, shapes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(pairs_run), "--data", str(coloured), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["found"]
    judged = ["--judge", str(pairs_run), "--json"]
    assert main(["evaluate", str(pairs_run), "--data", str(coloured), *judged]) == 2
    assert main(["evaluate", str(run), "--data", str(shapes), "-n", "2", "--steps", "2", *judged]) == 1
    assert "--judge compares" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert main(["sample", str(pairs_run), "--out", "nowhere"]) == 1
    assert "draws nothing" in capsys.readouterr().err
