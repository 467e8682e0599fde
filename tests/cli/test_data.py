"""Named sets from the command line."""

from __future__ import annotations

import json

import pytest

from unfog.cli.app import main


def test_data_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list", "--json"]) == 0
    names = {each["name"] for each in json.loads(capsys.readouterr().out)["sets"]}
    assert {"digits", "fashion-mnist", "emoji", "quatrains", "synopses", "descriptions"} <= names
    assert main(["data", "get", "digitz"]) == 1
    assert "digits" in capsys.readouterr().err


def test_every_set_says_what_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list", "--json"]) == 0
    kinds = {each["name"]: each["kind"] for each in json.loads(capsys.readouterr().out)["sets"]}
    assert kinds["digits"] == "pictures" and kinds["quatrains"] == "text"
    assert kinds["minilm"] == "language model"
