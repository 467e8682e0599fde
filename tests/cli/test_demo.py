"""The demo, shortened to seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unfog.cli.app import main


def test_the_demo_leaves_a_report_and_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--minutes", "0.05", "--out", str(tmp_path / "demo"), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert Path(values["report"]).stat().st_size > 50_000
    assert len(list((tmp_path / "demo" / "samples").glob("0*.png"))) == 100
    assert (tmp_path / "demo" / "samples" / "film.webp").is_file()
