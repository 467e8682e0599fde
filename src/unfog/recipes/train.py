"""From a source of pictures to a run's folder: open, build, train, average, save, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from unfog import config as configs
from unfog.atomic import atomic_write, clear_leftovers
from unfog.codec import saturation_warnings
from unfog.data import PictureStore, open_pictures
from unfog.errors import TrainError, UsageError
from unfog.model import Model
from unfog.output.provenance import Provenance, write_picture
from unfog.output.sheet import preview
from unfog.recipes import image
from unfog.recipes.finish import finish
from unfog.recipes.listen import Listener, Silent
from unfog.train import Training, TrainStep
from unfog.train.checkpoint import (
    drop_snapshots,
    hash_tensors,
    load_checkpoint,
    save_checkpoint,
    save_snapshot,
)
from unfog.train.fit import precision
from unfog.train.run import Log, locked
from unfog.train.validate import Fixed, fix, losses

RECIPES = ("image",)
PREVIEWED = 16


def train(
    recipe: str = "image",
    data: str | Path | None = None,
    out: str | Path = "runs/new",
    *,
    minutes: float | None = None,
    steps: int | None = None,
    preset: str | None = None,
    size: int | None = None,
    seed: int | None = None,
    settings: Sequence[str] = (),
    resume: bool = False,
    samples: int = 100,
    listener: Listener | None = None,
) -> Model:
    """Train a model on your own pictures.

    Args:
        recipe: "image".
        data: folder, archive, table, name of a set, or "hub:OWNER/NAME"; not needed with ``resume``.
        out: the run's folder; must be new, unless ``resume``.
        minutes: training time; ten when neither this nor ``steps`` is given.
        steps: optimiser steps instead.
        preset: "tiny", "small" or "base".
        size: side of the pictures in pixels; chosen from the data when left out.
        seed: of weights, order and noise.
        settings: further settings, "train.batch=32".
        resume: go on with the run in ``out``, by its own settings.
        samples: pictures to draw and evaluate at the end, 0 for none.
        listener: is told about progress.

    Returns:
        The trained model, as saved under ``out/model``.

    Raises:
        UnfogError: whatever is wrong with data, settings, folder or training, in words.
    """
    if recipe not in RECIPES:
        raise UsageError(f"There is no recipe {recipe!r}. {configs.nearest(recipe, RECIPES)}")
    run, listener = Path(out), listener or Silent()
    given = {"minutes": minutes, "steps": steps, "preset": preset, "size": size, "seed": seed}
    if resume:
        config = _resumed(run, data, given, settings)
    else:
        config = _configure(run, data, given, settings)
    with locked(run):
        if not resume:
            atomic_write(run / "config.toml", configs.to_toml(config))
        return _run(run, config, samples, listener)


def _configure(
    run: Path, data: str | Path | None, given: dict[str, Any], settings: Sequence[str]
) -> image.ImageConfig:
    if data is None:
        raise UsageError("Say what to learn from: --data FOLDER, or --data digits.")
    if (run / "config.toml").exists():
        raise TrainError(f"{run} already holds a run. Go on with it by --resume, or choose another --out.")
    if run.is_dir() and any(p.name != ".lock" for p in run.iterdir()):
        raise TrainError(f"{run} is not empty, and holds no run. Choose another --out.")
    if given["steps"] is not None and given["minutes"] is not None:
        raise UsageError("Give --minutes or --steps, not both.")
    source = str(Path(data).absolute()) if Path(data).exists() else str(data)
    values: dict[str, Any] = {"data": {"source": source}, "train": {}}
    if given["preset"] is not None:
        if given["preset"] not in image.PRESETS:
            raise UsageError(
                f"There is no preset {given['preset']!r}. {configs.nearest(given['preset'], image.PRESETS)}"
            )
        values["preset"] = given["preset"]
    if given["size"] is not None:
        values["data"]["size"] = given["size"]
    values["train"] |= {k: given[k] for k in ("minutes", "steps", "seed") if given[k] is not None}
    return configs.parse(image.ImageConfig, configs.override(values, settings), "Settings")


def _resumed(
    run: Path, data: str | Path | None, given: dict[str, Any], settings: Sequence[str]
) -> image.ImageConfig:
    if not (run / "config.toml").is_file():
        raise TrainError(f"{run} holds no run to resume. Leave --resume out to begin one there.")
    config = configs.read(image.ImageConfig, run / "config.toml")
    mine = {
        "minutes": config.train.minutes,
        "steps": config.train.steps,
        "preset": config.preset,
        "size": config.data.size,
        "seed": config.train.seed,
    }
    other = [f"--{k}" for k, v in given.items() if v is not None and v != mine[k]] + ["--set"] * bool(
        settings
    )
    if (
        data is not None
        and str(data) != config.data.source
        and str(Path(data).absolute()) != config.data.source
    ):
        other.append("--data")
    if other:
        raise UsageError(
            "A resumed run keeps its settings, so that it ends as if never interrupted: "
            f"leave out {', '.join(other)}, or begin a new run with another --out."
        )
    return config


def _run(run: Path, config: image.ImageConfig, samples: int, listener: Listener) -> Model:
    clear_leftovers(run)
    clear_leftovers(run / "checkpoints")
    data = config.data
    store = open_pictures(
        data.source,
        size=data.size,
        channels=data.channels,
        held_out=data.held_out,
        progress=lambda done, total: listener.phase("Reading pictures", done, total),
    )
    if len(store.train) == 0 or len(store.held_out) == 0:
        raise TrainError(f"{data.source} holds {len(store)} picture(s): training needs at least two.")
    for line in store.summary().splitlines():
        listener.say(line)
    accelerator = Accelerator(
        mixed_precision=precision(config.train.precision),
        log_with=list(config.train.trackers) or None,
        project_dir=run,
    )
    prepared = image.prepare(config, store)
    config = image.settled(config, prepared.model)
    for warning in saturation_warnings(prepared.model.codec.statistics):
        listener.say(f"Warning: {warning}")
    training = Training(prepared.model, prepared.batches(config), config.train, accelerator)
    log = _resume_point(run, training, store, listener)
    try:
        _train(run, config, prepared, training, log, listener)
        return finish(run, config, prepared, training, log, samples, listener)
    finally:
        log.close()
        accelerator.end_training()


def _resume_point(run: Path, training: Training, store: PictureStore, listener: Listener) -> Log:
    checkpoint, complaints = load_checkpoint(run)
    for complaint in complaints:
        listener.say(f"Warning: {complaint}; used the one before.")
    if checkpoint is not None:
        if checkpoint.notes.get("data") != store.digest:
            raise TrainError(
                f"The pictures in {store.source} are not those the run began with. "
                "Restore them, or begin a new run."
            )
        training.restore(checkpoint)
    log = Log(run, training.step)
    drop_snapshots(run, 0, training.step)
    if checkpoint is not None:
        listener.say(f"Resumed at step {training.step}.")
        log.write(event="resumed", step=training.step, weights=checkpoint.notes["weights"])
    else:
        log.write(event="started", parameters=training.model.count_parameters(), data=store.digest)
    return log


def keep(run: Path, training: Training, store: PictureStore, log: Log) -> None:
    """Save a checkpoint, and note it in the log."""
    checkpoint = training.checkpoint()
    checkpoint.notes["data"] = store.digest
    save_checkpoint(run, checkpoint)
    drop_snapshots(run, int(0.3 * training.step), training.step)  # older ones overlap no useful average
    log.write(event="checkpoint", step=training.step)


def _train(
    run: Path,
    config: image.ImageConfig,
    prepared: image.Prepared,
    training: Training,
    log: Log,
    listener: Listener,
) -> None:
    """The loop around the generator: log, validate, preview, keep."""
    accelerator = training.accelerator
    if config.train.trackers:
        accelerator.init_trackers("unfog", config={"run": run.name, **config.train.model_dump(mode="json")})
    store = prepared.store
    fixed = fix(training.model, store.images, prepared.groups, store.held_out, config.train)
    timer = _Timer(config)
    try:
        for step in training.fit():
            listener.step(step)
            log.step(
                step.step, step.loss, gradient=step.gradient, rate=step.learning_rate, elapsed=step.elapsed
            )
            if config.train.trackers:
                accelerator.log({"loss": step.loss, "learning_rate": step.learning_rate}, step=step.step)
            if not accelerator.is_main_process:
                continue
            for width, snapshot in training.snapshots_due():
                save_snapshot(run, snapshot, width)
            if step.event:
                listener.say(step.event)
                log.write(event="note", step=step.step, text=step.event)
            if timer.validation_due(step):
                _validate(training, fixed, config, log)
            if timer.due("preview", config.train.preview_minutes):
                _preview(run, training, config, log, listener)
            if timer.due("checkpoint", config.train.checkpoint_minutes) or step.event:
                keep(run, training, store, log)
    except KeyboardInterrupt:
        keep(run, training, store, log)
        raise TrainError(
            f"Stopped at step {training.step}; everything is saved. Go on with: "
            f"unfog train image --out {run} --resume"
        ) from None
    if accelerator.is_main_process:
        keep(run, training, store, log)
        _validate(training, fixed, config, log)


class _Timer:
    """When the things around training are due; none of them changes the training itself."""

    def __init__(self, config: image.ImageConfig) -> None:
        now = time.monotonic()
        self.every = config.train.validate_every
        self.last = {"preview": now, "checkpoint": now}
        self.validated = 0

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


def _validate(training: Training, fixed: Fixed, config: image.ImageConfig, log: Log) -> None:
    with training.averaged():
        value = float(losses(training.model, fixed, config.train).mean())
    log.write(event="validation", step=training.step, validation=value)
    if config.train.trackers:
        training.accelerator.log({"validation": value}, step=training.step)


def _preview(run: Path, training: Training, config: image.ImageConfig, log: Log, listener: Listener) -> None:
    model = training.model
    with training.averaged():
        sampling = replace(model.spec.sampling, steps=min(12, model.spec.sampling.steps))
        pictures = model.draw(model.choose_labels(PREVIEWED), PREVIEWED, sampling=sampling)
    entry = Provenance(
        model=hash_tensors(training.averages[0].weights),
        recipe=config.recipe,
        kind="grid",
        batch_size=PREVIEWED,
        settings={**asdict(sampling), "step": training.step},
    )
    write_picture(run / "previews" / f"step-{training.step:08d}.png", preview(pictures), entry)
    ends = float(((pictures == 0) | (pictures == 255)).mean())
    expected = model.codec.statistics.at_black + model.codec.statistics.at_white
    if ends > expected + 0.25:
        text = f"{ends:.0%} of preview values are pure black or white, {expected:.0%} of the data: saturated."
        listener.say(f"Warning: {text}")
        log.write(event="saturation", step=training.step, text=text)
