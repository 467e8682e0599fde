"""The process made visible: everything that ``unfog explain`` computes for its page."""

from __future__ import annotations

import shlex
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from unfog.config import nearest
from unfog.errors import UsageError
from unfog.model import PictureModel, load_pictures
from unfog.output.explain import write_explanation
from unfog.output.explained import Explanation
from unfog.output.provenance import Provenance
from unfog.output.words import words
from unfog.process import SCHEDULES
from unfog.recipes.explain_readings import curves, drown, read_in_four_ways
from unfog.recipes.explain_subject import ExactSubject, ModelSubject, Subject
from unfog.recipes.explain_toy import play
from unfog.recipes.explain_walks import CLEARING, CLEARING_STEPS, clear_up, compare, plain, weigh_levels
from unfog.recipes.listen import Listener, Silent

DATA = "digits"  # whose pictures an exact denoiser holds


@dataclass(frozen=True)
class Explained:
    """The answer of ``unfog explain``: where the page is, and its figures as plain values."""

    path: Path
    values: dict[str, Any]


def explain(
    subject: str,
    out: str | Path,
    *,
    lang: str = "en",
    data: str | None = None,
    seed: int = 0,
    listener: Listener | None = None,
) -> Explained:
    """Write the page of a model or a schedule.

    Args:
        subject: folder of a model or run, or a name of ``SCHEDULES``.
        out: the HTML file.
        lang: "en" or "zh".
        data: real pictures: a model is then asked about held-out ones instead of its own, and an exact
            denoiser holds these instead of digits.
        seed: of all noise.
        listener: is told about progress.

    Raises:
        UsageError: if there is no such model or schedule, or no such language.
        UnfogError: if the model or the data cannot be used, or the page cannot be written.
    """
    words(lang)
    listener, started = listener or Silent(), time.perf_counter()
    asked = open_subject(subject, data, seed, listener)
    page = gather(asked, subject, seed, listener)
    page.command = command(subject, out, lang, data, seed)
    path = write_explanation(out, page, lang=lang)
    values = figures_of(page) | {"page": str(path), "seconds": round(time.perf_counter() - started, 2)}
    return Explained(path, values)


def open_subject(name: str, data: str | None, seed: int, listener: Listener) -> Subject:
    """The model of a folder, or the exact denoiser of some pictures under a schedule.

    Raises:
        UsageError: if it is neither, naming the nearest schedule.
    """
    if name in SCHEDULES:
        return ExactSubject(name, data or DATA, listener)
    if not Path(name).is_dir():
        hint = nearest(name, SCHEDULES)
        raise UsageError(f"{name!r} is neither a folder with a model nor a schedule. {hint}")
    return ModelSubject(load_pictures(name), data, seed, listener)


@torch.inference_mode()
def gather(subject: Subject, name: str, seed: int, listener: Listener) -> Explanation:
    """Everything on the page, in its order; takes most of the time."""
    model = subject.model if isinstance(subject, ModelSubject) else None
    shown = subject.shown
    process = subject.process
    listener.phase("Reading in four ways", 0, 1)
    schedule = name if model is None else str(model.spec.schedule.get("kind", "cosine"))
    return Explanation(
        title=name if model is None else name_of(Path(name)),
        is_model=model is not None,
        origin=shown.origin,
        source=shown.source,
        other_data=shown.other,
        known=subject.known,
        schedule=schedule,
        target="" if model is None else model.spec.target,
        weights=0 if model is None else model.count_parameters(),
        asked=subject.asked(CLEARING),
        sampler=(subject.sampling.sampler, CLEARING_STEPS),
        guidance=subject.sampling.guidance,
        forward=drown(subject, seed),
        curves=curves(process),
        readings=read_in_four_ways(subject, seed),
        backward=clear_up(subject, seed, listener),
        toy=play(process, seed),
        losses=weigh_levels(subject, seed, listener),
        comparison=compare(subject, seed, listener),
        provenance=None if model is None else _provenance(model, seed),
        made_by={} if model is None else {"model (SHA-256)": model.fingerprint()},
    )


def figures_of(page: Explanation) -> dict[str, Any]:
    """The figures of the page without its pictures, for machines."""
    readings, losses = page.readings, page.losses
    return {
        "subject": page.title,
        "kind": "model" if page.is_model else "schedule",
        "schedule": page.schedule,
        "pictures": page.origin,
        "other_data": page.other_data,
        "forward": {name: list(map(float, getattr(page.forward, name))) for name in ("t", "alpha", "sigma")},
        "readings": [
            {
                "name": each.name,
                "t": each.t,
                "alpha": each.alpha,
                "sigma": each.sigma,
                "difference": each.difference,
                "asked": each.asked,
                "recovered": each.recovered,
                "rms": dict(each.sizes),
            }
            for each in readings.rows
        ],
        "sde": {name: getattr(readings.wander, name) for name in ("walked", "formula", "walkers")},
        "error": {
            "decibels": losses.decibels.tolist(),
            **{name: values.tolist() for name, values in losses.lines.items()},
        },
        "samplers": plain(page.comparison),
    }


def command(subject: str, out: str | Path, lang: str, data: str | None, seed: int) -> str:
    """The command line that makes the page again; of absolute paths only the last part."""
    parts = ["unfog", "explain", _short(subject), "--out", _short(out)]
    parts += ["--data", _short(data)] if data else []
    parts += ["--lang", lang] if lang != "en" else []
    parts += ["--seed", str(seed)] if seed else []
    return shlex.join(parts)


def name_of(folder: Path) -> str:
    """What people call the model of a folder: the name of its run, where it lies in one."""
    folder = folder.resolve()
    return folder.parent.name if folder.name == "model" and folder.parent.name else folder.name


def _short(path: str | Path) -> str:
    return Path(path).name if Path(path).is_absolute() else str(path)


def _provenance(model: PictureModel, seed: int) -> Provenance:
    return Provenance(
        model=model.fingerprint(),
        recipe=model.spec.recipe,
        seed=seed,
        kind="grid",
        settings=asdict(model.spec.sampling),
    )
