"""What a person sees."""

from __future__ import annotations

import json

import pytest


def test_a_table_lines_up() -> None:
    from unfog.cli.screen import table

    lines = table(["a", "long"], [["xx", "y"], ["z", "w"]]).splitlines()
    assert lines[0] == "a   long" and lines[2] == "xx  y" and len(lines) == 4


def test_answers_go_to_stdout_and_progress_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    from unfog.cli.screen import Screen, answer

    with Screen() as screen:
        screen.say("[bold]working[/bold]")
    answer({"雾": 1}, True, "")
    out = capsys.readouterr()
    assert json.loads(out.out) == {"雾": 1}
    assert "[bold]working[/bold]" in out.err
