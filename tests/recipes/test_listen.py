"""Listening to a run."""

from __future__ import annotations

from pathlib import Path

import unfog
from unfog.train import TrainStep

from .conftest import TINY


class Recorder:
    def __init__(self) -> None:
        self.phases: set[str] = set()
        self.steps: list[TrainStep] = []
        self.said: list[str] = []

    def phase(self, name: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        self.phases.add(name)

    def step(self, step: TrainStep) -> None:
        self.steps.append(step)

    def say(self, text: str) -> None:
        self.said.append(text)


def test_a_listener_hears_everything_that_takes_time(tmp_path: Path, shapes: Path) -> None:
    listener = Recorder()
    unfog.train("image", shapes, tmp_path / "r", steps=4, settings=TINY, samples=8, listener=listener)
    assert [step.step for step in listener.steps] == [1, 2, 3, 4]
    assert {"Drawing samples", "Measuring", "Choosing the average"} <= listener.phases
    assert any("held out" in text for text in listener.said)
