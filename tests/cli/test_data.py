"""Named sets from the command line."""

from __future__ import annotations

import json

import pytest

from unfog.cli.app import main


def test_data_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list", "--json"]) == 0
    names = {each["name"] for each in json.loads(capsys.readouterr().out)["sets"]}
    assert {"digits", "fashion-mnist", "emoji"} <= names
    assert main(["data", "get", "digitz"]) == 1
    assert "digits" in capsys.readouterr().err
