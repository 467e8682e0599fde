"""Watching over a run: name what goes wrong, go back to the last good state, say what was changed."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from unfog.errors import TrainError

MOST_ROLLBACKS = 5
PATIENCE = 20  # steps of high loss before it counts as divergence
TOO_HIGH = 3.0  # times the best smoothed loss


@dataclass
class Watch:
    """What the watchdog remembers; plain numbers, stored in checkpoints.

    Attributes:
        smooth, best: running mean of the loss, and its lowest value so far.
        high: consecutive steps with a loss far above the best.
        rollbacks: how often training was set back.
        rate: factor on the learning rate, halved with each rollback.
    """

    smooth: float = 0.0
    best: float = math.inf
    high: int = 0
    seen: int = 0
    rollbacks: int = 0
    rate: float = 1.0

    def observe(self, loss: float, gradient: float) -> str | None:
        """Look at one step.

        Args:
            loss: of the step.
            gradient: norm of its gradient before clipping.

        Returns:
            What is wrong, in words, or None.
        """
        if not math.isfinite(loss):
            return "the loss is not a number"
        if not math.isfinite(gradient):
            return "the gradient is not a number"
        self.seen += 1
        blend = max(0.02, 1 / self.seen)
        self.smooth += blend * (loss - self.smooth)
        if self.seen > PATIENCE:
            self.best = min(self.best, self.smooth)
            self.high = self.high + 1 if loss > TOO_HIGH * self.best else 0
        if self.high >= PATIENCE:
            return (
                f"the loss has been more than {TOO_HIGH:g} times its best for {PATIENCE} steps: it diverges"
            )
        return None

    def healthy(self) -> bool:
        """Whether now is a good moment to keep a copy to go back to."""
        return self.high == 0

    def roll_back(self, trouble: str, step: int, to: int) -> str:
        """Take note of a rollback, and say what changes.

        Raises:
            TrainError: if this has happened too often.
        """
        self.rollbacks += 1
        if self.rollbacks > MOST_ROLLBACKS:
            raise TrainError(
                f"Training failed {self.rollbacks} times, at last at step {step}: {trouble}. "
                f"Check the data, or set a lower rate: --set train.learning_rate=..."
            )
        self.rate *= 0.5
        self.high, self.seen, self.smooth = 0, 0, 0.0
        return (
            f"Step {step}: {trouble}. Went back to step {to}, halved the learning rate to "
            f"{self.rate:g} of its plan, and drew fresh noise."
        )

    def to_dict(self) -> dict[str, float]:
        """Plain values for a checkpoint; infinity becomes -1, which no loss is."""
        return {k: v if math.isfinite(v) else -1.0 for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, float]) -> Watch:
        """The inverse of ``to_dict``."""
        watch = cls(**values)  # type: ignore[arg-type]
        watch.best = math.inf if watch.best < 0 else watch.best
        for name in ("high", "seen", "rollbacks"):
            setattr(watch, name, int(getattr(watch, name)))
        return watch
