"""How many steps there will be, and the learning rate at each.

The learning rate rises, stays, and falls to nothing over the last part (warm-up, stable, decay). While it is
stable nobody needs to know the end; so with a time budget the end is planned at the moment the fall has to
begin, from the speed measured so far. A plan once made is written down and never changes: a resumed run
follows it to the letter.
"""

from __future__ import annotations

from dataclasses import dataclass

from unfog.train.config import CommonTrainConfig


@dataclass
class Plan:
    """The shape of a run.

    Attributes:
        total: steps in all; None while a time budget has not fixed it.
        seconds: time budget, None for a number of steps.
        warmup, decay: as in ``CommonTrainConfig``.
    """

    total: int | None
    seconds: float | None
    warmup: int
    decay: float

    @classmethod
    def of(cls, config: CommonTrainConfig) -> Plan:
        """The plan that a configuration asks for; ten minutes when it does not say."""
        if config.steps is not None:
            return cls(config.steps, None, config.warmup, config.decay)
        return cls(
            None, 60 * (10.0 if config.minutes is None else config.minutes), config.warmup, config.decay
        )

    def settle(self, step: int, elapsed: float, late_cost: float = 1.0) -> bool:
        """Fix the number of steps once the fall must begin.

        Args:
            step: steps done.
            elapsed: seconds that they took.
            late_cost: how much longer a step takes from here on.

        Returns:
            Whether the plan was fixed by this call.
        """
        if self.total is not None or self.seconds is None or step < 5:
            return False
        if elapsed < (1 - self.decay) * self.seconds:
            return False
        left = max(0.0, self.seconds - elapsed) / (late_cost * elapsed / step)
        self.total = step + max(1, round(left))
        return True

    def expected(self, step: int, elapsed: float) -> int:
        """How many steps there will probably be in all; for progress bars."""
        if self.total is not None:
            return self.total
        assert self.seconds is not None
        return max(step + 1, round(self.seconds / (elapsed / step))) if step and elapsed else step + 1

    def learning_rate(self, step: int) -> float:
        """Factor on the learning rate for step 0, 1, ..."""
        rise = min(1.0, (step + 1) / max(1, self._warmup()))
        if self.total is None:
            return rise
        fall = max(1.0, self.decay * self.total)
        return min(rise, (self.total - step) / fall, 1.0)

    def falls(self, step: int) -> bool:
        """Whether the learning rate falls at step 0, 1, ...: for the rest of the run."""
        return self.total is not None and self.total - step < max(1.0, self.decay * self.total)

    def _warmup(self) -> int:
        # a very short run must not spend itself on rising
        return self.warmup if self.total is None else min(self.warmup, max(1, self.total // 5))
