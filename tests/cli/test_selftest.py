"""The selftest from the command line."""

from __future__ import annotations

import json

import pytest

from unfog.cli.app import main


def test_it_is_green_and_says_what_it_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selftest", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["passed"] and values["failed"] == 0 and values["numbers"] == len(values["results"]) > 200


def test_it_fails_when_something_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from unfog import verify

    def wrong():
        yield verify.Result("thing", 2.0, 0.0, 1.0, "distance")

    monkeypatch.setattr(verify, "CHECKS", {"one thing": wrong})
    assert main(["selftest"]) == 1
    out = capsys.readouterr().out
    assert "FAILED" in out and "thing" in out and "0 of 1" in out
