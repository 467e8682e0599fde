"""The whole page of a model and of schedules, and what is said when there is nothing to explain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from unfog.errors import ModelError, OutputError, UsageError
from unfog.process import SCHEDULES
from unfog.recipes import explain_toy, explain_walks
from unfog.recipes.explain import command, explain, name_of
from unfog.sample import SAMPLERS


class Heard:
    """Remembers the phases it was told of."""

    def __init__(self) -> None:
        self.phases: dict[str, tuple[int, int]] = {}

    def phase(self, name: str, done: int, total: int) -> None:
        self.phases[name] = (done, total)

    def step(self, step: object) -> None:
        raise AssertionError("nothing is trained")

    def say(self, text: str) -> None:
        pass


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(explain_walks, "FINE", 20)
    monkeypatch.setattr(explain_walks, "STEPS", (2, 3))
    monkeypatch.setattr(explain_toy, "WALKS", 40)
    yield


def test_a_model_is_explained(run: Path, tmp_path: Path) -> None:
    heard = Heard()
    found = explain(str(run), tmp_path / "page.html", lang="zh", listener=heard)
    assert found.path.read_text("utf-8").count('lang="zh-CN"') == 1
    assert found.path.stat().st_size < 3_000_000
    values = json.loads(json.dumps(found.values))
    assert values["kind"] == "model" and values["subject"] == "tiny" and values["pictures"] == "drawn"
    assert [row["sampler"] for row in values["samplers"]] == list(SAMPLERS)
    assert all(
        done == total for name, (done, total) in heard.phases.items() if name != "Reading in four ways"
    )


@pytest.mark.parametrize("schedule", list(SCHEDULES))
def test_a_schedule_is_explained(schedule: str, shapes: Path, tmp_path: Path) -> None:
    found = explain(schedule, tmp_path / "page.html", data=str(shapes), seed=2)
    assert found.values["kind"] == "schedule" and found.values["pictures"] == "known"
    assert max(row["difference"] for row in found.values["readings"]) < 1e-5
    assert found.values["error"]["exact"][0] < 1e-6
    assert "AI-generated" not in found.path.read_text("utf-8")


def test_the_same_seed_gives_the_same_page(run: Path, shapes: Path, tmp_path: Path) -> None:
    pages = [explain(str(run), tmp_path / "page.html", data=str(shapes)).path.read_bytes() for _ in range(2)]
    assert pages[0] == pages[1]
    other = explain(str(run), tmp_path / "page.html", data=str(shapes), seed=1).path.read_bytes()
    assert other != pages[0]


def test_what_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'cosin' is neither.*Did you mean 'cosine'"):
        explain("cosin", tmp_path / "page.html")
    with pytest.raises(ModelError, match=r"model\.json"):
        explain(str(tmp_path), tmp_path / "page.html")
    with pytest.raises(OutputError, match="en and zh"):
        explain("cosine", tmp_path / "page.html", lang="fr")
    assert not (tmp_path / "page.html").exists()


def test_a_run_is_called_by_its_name_and_the_command_names_no_machine(tmp_path: Path) -> None:
    assert name_of(tmp_path / "runs" / "demo" / "model") == name_of(tmp_path / "runs" / "demo") == "demo"
    assert command("runs/demo", "a b.html", "zh", None, 3) == (
        "unfog explain runs/demo --out 'a b.html' --lang zh --seed 3"
    )
    assert str(tmp_path) not in command(str(tmp_path / "m"), tmp_path / "p.html", "en", str(tmp_path), 0)
