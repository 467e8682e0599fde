"""How a recipe tells what it is doing, without knowing who listens: a terminal, a notebook, nobody."""

from __future__ import annotations

from typing import Protocol

from unfog.train import TrainStep


class Listener(Protocol):
    """Receives news of a run."""

    def phase(self, name: str, done: int, total: int) -> None:
        """Something other than training has come this far."""

    def step(self, step: TrainStep) -> None:
        """A training step was taken."""

    def say(self, text: str) -> None:
        """A sentence for the user."""


class Silent:
    """Listens to nothing."""

    def phase(self, name: str, done: int, total: int) -> None:
        """Ignore."""

    def step(self, step: TrainStep) -> None:
        """Ignore."""

    def say(self, text: str) -> None:
        """Ignore."""
