"""Likelihood from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unfog.cli.app import main


def test_likelihood(run: Path, shapes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["likelihood", str(run), "--data", str(shapes), "-n", "3", "--tolerance", "1e-3"]
    assert main([*words, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["exact"]["n"] == 3 and len(values["unusual"]) == 3
    assert main(words) == 0
    assert "most unusual" in capsys.readouterr().out
