"""The end of a run: choose the average, save the model, look at what it can do, and write the report."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unfog.door import __version__
from unfog.model import DiffusionModel, Model
from unfog.recipes.listen import Listener
from unfog.recipes.prepared import Prepared
from unfog.train import Objective, Training
from unfog.train.checkpoint import hash_tensors, load_snapshots
from unfog.train.ema import EARLY, REACH, WIDTHS, combine, exponent
from unfog.train.fit import objective_of
from unfog.train.objective import Batch
from unfog.train.run import Log
from unfog.train.validate import fix, losses
from unfog.weights import early_weights

CANDIDATES = (0.03, 0.05, 0.075, 0.10, 0.14, 0.20)  # relative widths of the average


def finish(
    run: Path,
    config: Any,
    prepared: Prepared,
    training: Training,
    log: Log,
    samples: int,
    listener: Listener,
) -> Model:
    """Turn a finished training into ``RUN/model`` and ``RUN/report.html``."""
    model, objective = training.model, objective_of(training.model, config.train)
    raw = hash_tensors(training.parameters)
    width, validation, weights = choose_average(
        run, objective, fix(objective, prepared.validation()), training, listener
    )
    early = keep_early(run, training)
    training.adopt(weights)
    model.eval().to("cpu")
    prepared.complete(listener)
    model.history.append(_entry(config, prepared, training, width, validation, early))
    shown = prepared.show(listener)
    fingerprint = model.save(
        run / "model", card=prepared.card(), extra=lambda folder: prepared.keep_shown(folder, shown)
    )
    log.write(event="finished", step=training.step, weights=raw, average=width, model=fingerprint)
    listener.say(
        f"Averaged the weights over {width:.0%} of training, best on held-out data ({validation:.4f})."
        if width
        else f"Kept the last weights, best on held-out data ({validation:.4f})."
    )
    prepared.report(run, config, samples, objective, listener)
    return model


def choose_average(
    run: Path, objective: Objective, fixed: Batch, training: Training, listener: Listener
) -> tuple[float, float, dict[str, Tensor]]:
    """The length of the average that is best on held-out pictures.

    Returns:
        Relative width (0 for the last weights as they are), validation loss, weights.
    """
    gammas = {f"{width:.2f}": exponent(width) for width in WIDTHS}
    snapshots = load_snapshots(run, gammas, training.step, since=int(REACH * training.step))
    found = []
    widths = (0.0, *CANDIDATES) if len(snapshots) > 2 else (0.0,)
    for done, width in enumerate(widths):
        listener.phase("Choosing the average", done, len(widths))
        weights = (
            combine(snapshots, width, training.step)
            if width
            else {n: p.detach().clone() for n, p in training.parameters.items()}
        )
        with training.averaged(weights):
            found.append((float(losses(objective, fixed).mean()), width, weights))
    listener.phase("Choosing the average", len(widths), len(widths))
    validation, width, weights = min(found, key=lambda row: row[0])
    return width, validation, weights


def keep_early(run: Path, training: Training) -> int:
    """Give the model its weights of an eighth of the way, for autoguidance.

    Returns:
        The step they are of; 0 where none were kept from the first half, in very short runs.
    """
    shorter = {f"{WIDTHS[0]:.2f}": exponent(WIDTHS[0])}
    found = load_snapshots(run, shorter, training.step // 2, since=int(EARLY * training.step))
    if not found or not isinstance(training.model, DiffusionModel):
        return 0
    with training.averaged(found[0].weights):
        training.model.early = early_weights(training.model.learned_state())
    return found[0].step


def machine() -> str:
    """What this ran on, without anything that names the machine."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    count = torch.get_num_threads()
    return f"{count} CPU core{'s' * (count > 1)} ({platform.machine()})"


def _entry(
    config: Any, prepared: Prepared, training: Training, width: float, validation: float, early: int
) -> dict[str, Any]:
    return {
        "event": "trained",
        "data": {
            "source": Path(prepared.source).name,
            "digest": prepared.digest,
            **prepared.facts(config),
        },
        "steps": training.step,
        "pictures_seen": training.step * config.train.batch,
        "seconds": round(training.elapsed, 1),
        "average": width,
        "early": early,
        "validation": validation,
        "rollbacks": training.watch.rollbacks,
        "settings": config.train.model_dump(mode="json", exclude_none=True),
        "unfog": __version__,
        "torch": torch.__version__,
        "machine": machine(),
    }
