"""Drawing pictures into a folder, and drawing one of them once more from what it carries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from unfog.atomic import atomic_write
from unfog.data.cache import cache_folder
from unfog.errors import DataError, ModelError
from unfog.model import Model, load
from unfog.output.film import write_film
from unfog.output.pictures import Saved, save_pictures
from unfog.output.provenance import Provenance, read_provenance, write_picture
from unfog.recipes.listen import Listener, Silent
from unfog.spec import Sampling, build_part

FILMED = 16  # pictures in a film


def draw(
    model: Model,
    out: str | Path,
    n: int,
    *,
    label: str | int | Sequence[str | int] | None = None,
    seed: int = 0,
    film: bool = False,
    settings: dict[str, Any] | None = None,
    listener: Listener | None = None,
) -> tuple[Saved, Path | None]:
    """Draw n pictures into a folder, each with what made it.

    Args:
        model: what draws.
        out: the folder; results that are there already stay.
        n: how many.
        label: a class for all, or one for each; classes take turns when left out.
        seed: of the request.
        film: also write ``film.webp``, the way from noise to the first pictures.
        settings: fields of ``Sampling`` to change.
        listener: is told about progress.

    Returns:
        What was saved, and the film's path or None.

    Raises:
        UnfogError: if a label or setting does not exist, or the folder cannot be written.
    """
    listener = listener or Silent()
    sampling = model.settings(**(settings or {}))
    labels = model.choose_labels(n, label)
    entries = describe(model, n, labels, seed, sampling)
    saved = save_pictures(Path(out), _pictures(model, n, labels, seed, sampling, listener), entries)
    if not film:
        return saved, None
    count = min(n, FILMED)
    frames = []
    chosen = None if labels is None else labels[:count]
    for step in model.walk(range(count), chosen, seed=seed, sampling=sampling):
        frames.append(model.to_pictures(step.x_t / float(_spread(model, step.t))))
        last = step.x_s
        listener.phase("Filming", step.index + 1, sampling.steps)
    frames.append(model.to_pictures(last))
    path = _free_name(Path(out), "film", ".webp")
    return saved, write_film(path, np.stack(frames), entries[0])


def describe(
    model: Model, n: int, labels: Sequence[int] | None, seed: int, sampling: Sampling
) -> list[Provenance]:
    """What every picture of a request will carry."""
    size, fingerprint = model.batch_size(), model.fingerprint()
    return [
        Provenance(
            model=fingerprint,
            recipe=model.spec.recipe,
            seed=seed,
            index=i,
            batch_first=i - i % size,
            batch_size=min(size, n - (i - i % size)),
            label=None if labels is None else model.spec.classes[labels[i]],
            settings=asdict(sampling),
        )
        for i in range(n)
    ]


def again(
    file: str | Path, out: str | Path, *, model: Model | None = None, listener: Listener | None = None
) -> Path:
    """Draw a generated picture once more; on the same machine the file is the same to the byte.

    Args:
        file: a picture that unfog drew.
        out: folder to write to.
        model: what drew it; found by its fingerprint when left out.
        listener: is told about progress.

    Returns:
        The path of the new file.

    Raises:
        DataError: if the file carries no provenance, or is a sheet or film of several.
        ModelError: if the model is another, or cannot be found.
    """
    entry = read_provenance(file)
    if entry is None:
        raise DataError(f"{file} does not say what made it: it is not from unfog, or its marks were removed.")
    if entry.kind == "between":
        raise DataError(
            f"{file} was drawn between two other pictures. Repeat the command that made it: unfog sample "
            f"MODEL --between {' --between '.join(map(str, entry.settings.get('between', ())))} --out DIR"
        )
    if entry.kind != "picture":
        raise DataError(
            f"{file} shows several pictures ({entry.kind}): give one of the single files beside it."
        )
    model = model or find(entry.model)
    if model.fingerprint() != entry.model:
        raise ModelError(
            f"{file} was drawn by model {entry.model[:12]}, not by {model.fingerprint()[:12]}. "
            "Give that model."
        )
    known = {f.name for f in fields(Sampling)}
    sampling = build_part(Sampling, {k: v for k, v in entry.settings.items() if k in known}, "sampling")
    # the last bits of a sum depend on the size of the batch and on the place in it: repeat both
    indices = range(entry.batch_first, entry.batch_first + entry.batch_size)
    label = None if entry.label is None else [model.class_index(entry.label)] * len(indices)
    for step in model.walk(indices, label, seed=entry.seed, sampling=sampling):
        if listener:
            listener.phase("Drawing", step.index + 1, sampling.steps)
        last = step.x_s
    picture = model.to_pictures(last)[entry.index - entry.batch_first]
    path = Path(out) / Path(file).name
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_picture(path, picture, entry)


def remember(folder: Path, fingerprint: str) -> None:
    """Note where a model lies, so that a picture can find it by its fingerprint."""
    atomic_write(cache_folder() / "models" / fingerprint, str(folder.absolute()), durable=False)


def find(fingerprint: str) -> Model:
    """The model of a fingerprint, if it still lies where it was last seen.

    Raises:
        ModelError: saying how to name it instead.
    """
    note = cache_folder() / "models" / fingerprint
    if fingerprint.isalnum() and note.is_file():
        folder = Path(note.read_text("utf-8").strip())
        if (folder / "model.json").is_file():
            return load(folder)
    raise ModelError(
        f"The model {fingerprint[:12]} that drew this was not found. "
        "Name it: unfog sample MODEL --again FILE --out DIR"
    )


def _pictures(
    model: Model,
    n: int,
    labels: Sequence[int] | None,
    seed: int,
    sampling: Sampling,
    listener: Listener,
) -> Iterator[np.ndarray]:
    size = model.batch_size()
    for first in range(0, n, size):
        indices = range(first, min(first + size, n))
        chosen = None if labels is None else [labels[i] for i in indices]
        for step in model.walk(indices, chosen, seed=seed, sampling=sampling):
            last = step.x_s
            done = first * sampling.steps + (step.index + 1) * len(indices)
            listener.phase("Drawing", done, n * sampling.steps)
        yield from model.to_pictures(last)


def _spread(model: Model, t: float) -> float:
    """The standard deviation of x_t, to show noisy pictures at the contrast of clean ones."""
    alpha, sigma = model.denoiser.process.scales(t)
    return float((alpha**2 + sigma**2).sqrt())


def _free_name(folder: Path, stem: str, suffix: str) -> Path:
    path, number = folder / f"{stem}{suffix}", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}{suffix}", number + 1
    return path
