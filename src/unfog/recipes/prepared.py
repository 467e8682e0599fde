"""What every recipe hands to the one training loop: data, a fresh model, and how to look at them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unfog.model import Model
from unfog.recipes.listen import Listener
from unfog.train import Objective
from unfog.train.fit import Source
from unfog.train.objective import Batch


class Prepared(ABC):
    """A fresh model with what it will be trained on.

    Attributes:
        model: untrained.
        source: what the data was called.
        digest: hash of the data.
    """

    model: Model
    source: str
    digest: str

    @property
    def key(self) -> str:
        """Hash of all that is learned from; a resumed run must find the same."""
        return self.digest

    @abstractmethod
    def batches(self, config: Any) -> Source:
        """The training batches."""

    @abstractmethod
    def validation(self) -> Batch:
        """The held-out examples that validation asks about."""

    def complete(self, listener: Listener) -> None:  # noqa: B027, mostly nothing is to be done
        """Add what a model still lacks once its weights are chosen; called before it is saved."""

    @abstractmethod
    def preview(self, run: Path, step: int, weights: str) -> Sequence[str]:
        """Generate a little with the model as it is, and keep it under ``RUN/previews``.

        Args:
            run: the run's folder.
            step: of training.
            weights: their hash.

        Returns:
            What is worth warning of.
        """

    @abstractmethod
    def facts(self, config: Any) -> dict[str, Any]:
        """What the model's history says about the data; plain values."""

    @abstractmethod
    def card(self) -> str:
        """``card.md`` of the trained model."""

    @abstractmethod
    def show(self, listener: Listener) -> Any:
        """Generate what the model's folder shows of it; handed to ``keep_shown``."""

    @abstractmethod
    def keep_shown(self, folder: Path, shown: Any) -> None:
        """Write it into the unfinished model folder."""

    @abstractmethod
    def report(self, run: Path, config: Any, samples: int, objective: Objective, listener: Listener) -> Path:
        """Generate, measure, and write ``RUN/report.html``; returns its path."""
