"""The loop around the trainer: log each step, validate, preview, keep; and stop when asked to."""

from __future__ import annotations

import time
from pathlib import Path

from unfog.errors import Stopped
from unfog.recipes.listen import Listener
from unfog.recipes.prepared import Prepared
from unfog.train import TrainConfig, Training, TrainStep
from unfog.train.checkpoint import drop_snapshots, hash_tensors, save_checkpoint, save_snapshot
from unfog.train.ema import EARLY, REACH
from unfog.train.fit import objective_of
from unfog.train.run import Log, asked_to_stop
from unfog.train.validate import fix, losses


class Loop:
    """One run on its way; nothing that it does changes the training itself.

    Args:
        run: the run's folder.
        config: settled settings.
        prepared: data and model.
        training: the state of the run.
        log: of the run.
        listener: is told about progress.
    """

    def __init__(
        self,
        run: Path,
        config: TrainConfig,
        prepared: Prepared,
        training: Training,
        log: Log,
        listener: Listener,
    ) -> None:
        self.run, self.config, self.training = run, config, training
        self.prepared, self.log, self.listener = prepared, log, listener
        self.objective = objective_of(training.model, config)
        self.fixed = fix(self.objective, prepared.validation())
        self.timer = _Timer(self.config.validate_every)

    def go(self) -> None:
        """Train to the end.

        Raises:
            Stopped: asked to stop; everything is saved, and the message says how to go on.
            TrainError: training failed again and again.
        """
        accelerator = self.training.accelerator
        if self.config.trackers:
            values = {"run": self.run.name, **self.config.model_dump(mode="json", exclude_none=True)}
            values["trackers"] = ", ".join(self.config.trackers)  # trackers take plain values only
            accelerator.init_trackers("unfog", config=values)
        with asked_to_stop() as asked:
            for step in self.training.fit():
                self._after(step)
                if asked():
                    self.keep()
                    raise Stopped(
                        f"Stopped at step {step.step}; everything is saved. Go on with: "
                        f"unfog train {self.training.model.spec.recipe} --out {self.run} --resume"
                    )
        self.keep()
        self._validate()

    def _after(self, step: TrainStep) -> None:
        """What is due after a step."""
        self.listener.step(step)
        verdict = self.log.step(
            step.step, step.loss, gradient=step.gradient, rate=step.learning_rate, elapsed=step.elapsed
        )
        if verdict:
            self.listener.say(verdict)
        self._track(step, loss=step.loss, learning_rate=step.learning_rate)
        if not self.training.accelerator.is_main_process:
            return
        for width, snapshot in self.training.snapshots_due():
            save_snapshot(self.run, snapshot, width)
        if step.event:
            self.listener.say(step.event)
            self.log.write(event="note", step=step.step, text=step.event)
        if self.timer.validation_due(step):
            self._validate()
        if self.timer.due("preview", self.config.preview_minutes):
            self._preview()
        if self.timer.due("checkpoint", self.config.checkpoint_minutes) or step.event:
            self.keep()

    def _track(self, step: TrainStep | None = None, **values: float) -> None:
        if self.config.trackers:
            self.training.accelerator.log(values, step=step.step if step else self.training.step)

    def keep(self) -> None:
        """Save a checkpoint, and note it in the log."""
        if not self.training.accelerator.is_main_process:
            return
        checkpoint = self.training.checkpoint()
        checkpoint.notes["data"] = self.prepared.key
        save_checkpoint(self.run, checkpoint)
        step = self.training.step
        drop_snapshots(self.run, int(REACH * step), step, early=int(EARLY * step))
        self.log.write(event="checkpoint", step=self.training.step)

    def _validate(self) -> None:
        with self.training.averaged():
            value = float(losses(self.objective, self.fixed).mean())
        self.log.write(event="validation", step=self.training.step, validation=value)
        self._track(validation=value)

    def _preview(self) -> None:
        step, weights = self.training.step, hash_tensors(self.training.averages[0].weights)
        with self.training.averaged():
            warnings = self.prepared.preview(self.run, step, weights)
        for text in warnings:
            self.listener.say(f"Warning: {text}")
            self.log.write(event="warning", step=step, text=text)


class _Timer:
    """When the things around training are due."""

    def __init__(self, validate_every: int) -> None:
        now = time.monotonic()
        self.every, self.validated = validate_every, 0
        self.last = {"preview": now, "checkpoint": now}

    def validation_due(self, step: TrainStep) -> bool:
        every = self.every or max(10, step.total // 20)
        if step.step - self.validated < every:
            return False
        self.validated = step.step
        return True

    def due(self, what: str, minutes: float) -> bool:
        if time.monotonic() - self.last[what] < 60 * minutes:
            return False
        self.last[what] = time.monotonic()
        return True
