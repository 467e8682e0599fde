"""What a run's report tells: gathered from the model, the data and the log."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from unfog.codec import saturation_warnings
from unfog.data import PictureStore
from unfog.model import PictureModel
from unfog.output.facts import Backward, Data, Forward, Losses, Report, Setup
from unfog.output.film import encode_film
from unfog.output.provenance import Provenance
from unfog.output.report import write_report
from unfog.recipes.assess import assess
from unfog.recipes.listen import Listener
from unfog.recipes.recipe import command_of
from unfog.rng import Noise
from unfog.train import Objective
from unfog.train.objective import Batch
from unfog.train.run import read_log
from unfog.train.validate import by_noise_level, losses

if TYPE_CHECKING:
    from unfog.recipes.image import ImageConfig

SHOWN_LEVELS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0)


def tell(
    run: Path,
    config: ImageConfig,
    store: PictureStore,
    model: PictureModel,
    losses: Losses,
    samples: int,
    listener: Listener,
) -> Path:
    """Draw, measure, and write ``RUN/report.html``; returns its path."""
    report = Report(
        title=f"{Path(store.source).stem}: {store.size} x {store.size} pixels",
        warnings=list(saturation_warnings(model.codec.statistics)),
        setup=_setup(config, model),
        data=_data(store, model),
        forward=_forward(store, model),
        losses=losses,
        made_by=_made_by(model),
        command=command_of(run, config),
    )
    if samples:
        _draw_and_measure(report, store, model, samples, listener)
    return write_report(run / "report.html", report)


def _draw_and_measure(
    report: Report, store: PictureStore, model: PictureModel, samples: int, listener: Listener
) -> None:
    asked = model.asker.choose(samples)
    labels = asked if model.spec.classes else None
    started = time.perf_counter()
    pictures = model.draw(
        asked, samples, progress=lambda done, total: listener.phase("Drawing samples", done, total)
    )
    assert report.setup is not None
    report.setup.sampling_seconds = (time.perf_counter() - started) / samples
    report.samples, report.sample_labels = pictures, labels
    report.provenance = Provenance(
        model=model.fingerprint(), recipe="image", kind="grid", settings=asdict(model.spec.sampling)
    )
    report.backward = _backward(model, asked, report.provenance)
    if len(store.train) < 3:
        report.warnings = [
            *report.warnings,
            "Fewer than three training pictures: nothing to measure against.",
        ]
        return
    found = assess(store, pictures, labels, listener)
    report.metrics, report.neighbours = found.metrics, found.neighbours
    report.warnings = [*report.warnings, *found.warnings]


def _setup(config: ImageConfig, model: PictureModel) -> Setup:
    made = model.history[-1]
    names = {
        "unet": "convolutional U-Net",
        "transformer": "transformer",
        "joint": "transformer with joint attention",
    }
    return Setup(
        weights=model.count_parameters(),
        network=names[model.spec.network["kind"]],
        pictures=made["data"]["pictures"],
        seconds=made["seconds"],
        steps=made["steps"],
        batch=config.train.batch,
        device=made["machine"],
        classes=len(model.spec.classes) or None,
        sampler=model.spec.sampling.sampler,
        sampler_steps=model.spec.sampling.steps,
        guidance=model.spec.sampling.guidance,
        settings={
            **config.model_dump(mode="json", exclude_none=True, exclude={"data"}),
            "network": model.spec.network,
            "sampling": asdict(model.spec.sampling),
        },
    )


def _data(store: PictureStore, model: PictureModel) -> Data:
    return Data.measure(
        store.images,
        store.labels,
        store.classes,
        source=Path(store.source).name,
        digest=store.digest,
        train=len(store.train),
        held_out=len(store.held_out),
        skipped=store.skipped,
    )


def _forward(store: PictureStore, model: PictureModel) -> Forward:
    """One held-out picture on its way into noise, as the network sees it: at unit variance."""
    process = model.denoiser.process
    raw = torch.from_numpy(np.ascontiguousarray(store.images[store.held_out[:1]])).permute(0, 3, 1, 2)
    x = model.codec.encode(raw)
    noise = Noise(0).normal(x.shape)
    times = torch.tensor(SHOWN_LEVELS, dtype=torch.float64)
    alpha, sigma = process.scales(times)
    drowned = torch.cat([process.mix(x, noise, t) * _unit(process.scales(t)) for t in times])
    return Forward(
        pictures=model.to_pictures(drowned),
        t=times.tolist(),
        alpha=alpha.tolist(),
        sigma=sigma.tolist(),
        schedule=model.spec.schedule.get("kind"),
    )


def _unit(scales: tuple[torch.Tensor, torch.Tensor]) -> float:
    return float((scales[0] ** 2 + scales[1] ** 2).rsqrt())


def _backward(model: PictureModel, asked: list[Any] | None, entry: Provenance, rows: int = 3) -> Backward:
    """The first samples clearing up, with the clean guess at each step."""
    process, count = model.denoiser.process, 16 if asked is None else min(16, len(asked))
    chosen = None if asked is None else asked[:count]
    noisy, clean, times = [], [], []
    for step in model.walk(range(count), chosen):
        noisy.append(model.to_pictures(step.x_t * _unit(process.scales(step.t)), quick=True))
        clean.append(model.to_pictures(step.clean, quick=True))
        times.append(step.t)
        last = step
    noisy.append(model.to_pictures(last.x_s))
    clean.append(noisy[-1])
    times.append(last.s)
    frames = np.stack(noisy)
    return Backward(
        noisy=frames[:, :rows].swapaxes(0, 1),
        clean=np.stack(clean)[:, :rows].swapaxes(0, 1),
        t=times,
        film=encode_film(".webp", frames, entry),
    )


def losses_of(run: Path, model: PictureModel, objective: Objective, fixed: Batch) -> Losses:
    """How the loss fell, and where it is, by noise level."""
    rows = read_log(run)
    taken = {row["step"]: row for row in rows if "loss" in row}
    checked = {row["step"]: row["validation"] for row in rows if row.get("event") == "validation"}
    process, t = model.denoiser.process, fixed[1]
    assert t is not None
    levels = by_noise_level(process, t, losses(objective, fixed))
    times = [float(process.schedule.time(torch.tensor(-level, dtype=torch.float64))) for level, _ in levels]
    return Losses(
        train=(list(taken), [row["loss"] for row in taken.values()]) if taken else None,
        validation=(list(checked), list(checked.values())) if checked else None,
        learning_rate=(list(taken), [row["rate"] for row in taken.values()]) if taken else None,
        by_level=(times, [value for _, value in levels]),
    )


def _made_by(model: PictureModel) -> dict[str, str]:
    made = model.history[-1]
    return {
        "data (SHA-256)": made["data"]["digest"],
        "torch": made["torch"],
        "machine": made["machine"],
    }
