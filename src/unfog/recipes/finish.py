"""The end of a run: choose the average, save the model, look at what it can do, and write the report."""

from __future__ import annotations

import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unfog.data import PictureStore
from unfog.door import __version__
from unfog.model import Model
from unfog.output.provenance import Provenance, write_picture
from unfog.output.sheet import preview
from unfog.recipes.image import ImageConfig, Prepared
from unfog.recipes.listen import Listener
from unfog.recipes.story import tell
from unfog.train import Training
from unfog.train.checkpoint import hash_tensors, load_snapshots
from unfog.train.ema import EARLY, REACH, WIDTHS, combine, exponent
from unfog.train.run import Log
from unfog.train.validate import fix, losses
from unfog.weights import early_weights

CANDIDATES = (0.03, 0.05, 0.075, 0.10, 0.14, 0.20)  # relative widths of the average


def finish(
    run: Path,
    config: ImageConfig,
    prepared: Prepared,
    training: Training,
    log: Log,
    samples: int,
    listener: Listener,
) -> Model:
    """Turn a finished training into ``RUN/model`` and ``RUN/report.html``."""
    model, store = training.model, prepared.store
    raw = hash_tensors(training.parameters)
    width, validation, weights = choose_average(run, config, prepared, training, listener)
    early = keep_early(run, training)
    training.adopt(weights)
    model.eval().to("cpu")
    model.history.append(_entry(config, store, training, width, validation, early))
    pictures = model.draw(
        model.choose_labels(16), 16, progress=lambda done, total: listener.phase("Previewing", done, total)
    )
    fingerprint = model.fingerprint()
    entry = Provenance(
        model=fingerprint, recipe="image", kind="grid", batch_size=16, settings=asdict(model.spec.sampling)
    )

    def add_preview(folder: Path) -> None:
        write_picture(folder / "preview.png", preview(pictures), entry)

    model.save(run / "model", card=card(model, store), extra=add_preview)
    log.write(event="finished", step=training.step, weights=raw, average=width, model=fingerprint)
    listener.say(
        f"Averaged the weights over {width:.0%} of training, best on held-out pictures ({validation:.4f})."
        if width
        else f"Kept the last weights, best on held-out pictures ({validation:.4f})."
    )
    tell(run, config, prepared, samples, listener)
    return model


def choose_average(
    run: Path, config: ImageConfig, prepared: Prepared, training: Training, listener: Listener
) -> tuple[float, float, dict[str, Tensor]]:
    """The length of the average that is best on held-out pictures.

    Returns:
        Relative width (0 for the last weights as they are), validation loss, weights.
    """
    gammas = {f"{width:.2f}": exponent(width) for width in WIDTHS}
    snapshots = load_snapshots(run, gammas, training.step, since=int(REACH * training.step))
    store = prepared.store
    fixed = fix(training.model, store.images, prepared.groups, store.held_out, config.train)
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
            found.append((float(losses(training.model, fixed, config.train).mean()), width, weights))
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
    if not found:
        return 0
    with training.averaged(found[0].weights):
        training.model.early = early_weights(training.model.state_dict())
    return found[0].step


def machine() -> str:
    """What this ran on, without anything that names the machine."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    count = torch.get_num_threads()
    return f"{count} CPU core{'s' * (count > 1)} ({platform.machine()})"


def _entry(
    config: ImageConfig, store: PictureStore, training: Training, width: float, validation: float, early: int
) -> dict[str, Any]:
    return {
        "event": "trained",
        "data": {
            "source": Path(store.source).name,
            "digest": store.digest,
            "pictures": len(store.train),
            "held_out": len(store.held_out),
            "held_out_share": config.data.held_out,
            "columns": config.data.columns(),
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


def card(model: Model, store: PictureStore) -> str:
    """``card.md``: what the model is, in words."""
    made, statistics = model.history[-1], model.codec.statistics
    channels, height, width = statistics.shape
    classes = ", ".join(model.spec.classes[:30]) or "none"
    return f"""# {Path(store.source).name}: a diffusion model made with unfog

- Draws pictures of {width} x {height} pixels, {"grey" if channels == 1 else "colour"}. Classes: {classes}.
- Learned from {made["data"]["pictures"]:,} pictures (content hash {store.digest[:16]}),
  {made["steps"]:,} steps, {made["seconds"] / 60:.1f} minutes on {made["machine"]};
  {model.count_parameters():,} parameters.
- Validation loss {made["validation"]:.4f}; weights averaged over {made["average"]:.0%} of training.
- Use: `unfog sample MODEL --out DIR -n 16`; what it draws is marked as AI-generated in every file.
- Check `report.html` of the run for quality, and for how close samples come to training pictures,
  before you publish.
"""
