"""Drawing pictures into a folder, and drawing one of them once more from what it carries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unfog.atomic import atomic_write
from unfog.data.cache import cache_folder
from unfog.data.decode import decode_picture
from unfog.errors import DataError, ModelError, SampleError
from unfog.model import PictureModel, load_pictures
from unfog.model.asked import NOTHING, Wish, refuse_pictures
from unfog.output.film import write_film
from unfog.output.pictures import Saved, save_pictures
from unfog.output.provenance import Provenance, read_provenance, write_picture
from unfog.recipes.ask import STRENGTH, Guide, guide_again, guide_by
from unfog.recipes.listen import Listener, Silent
from unfog.recipes.pictures import read_picture
from unfog.sample import Step
from unfog.spec import Sampling, build_part, choose_labels

FILMED = 16  # pictures in a film


def draw(
    model: PictureModel,
    out: str | Path,
    n: int,
    *,
    wish: Wish = NOTHING,
    seed: int = 0,
    film: bool = False,
    settings: dict[str, Any] | None = None,
    classifier: str | Path | None = None,
    strength: float = 1.0,
    listener: Listener | None = None,
) -> tuple[Saved, Path | None]:
    """Draw n pictures into a folder, each with what made it.

    Args:
        model: what draws.
        out: the folder; results that are there already stay.
        n: how many.
        wish: what for; classes take turns when left out.
        seed: of the request.
        film: also write ``film.webp``, the way from noise to the first pictures.
        settings: fields of ``Sampling`` to change.
        classifier: labelled data, whose classifier steers towards the label, with a ``loss_scale`` of 5 where
            no other is set; the model needs to know no labels.
        strength: how far from the one picture of ``wish.like`` it may lead: 1 draws anew, from its visual
            words alone; below that it begins from the picture itself under noise, and 0 leaves it as it is.
        listener: is told about progress.

    Returns:
        What was saved, and the film's path or None.

    Raises:
        UnfogError: if a label or setting does not exist, or the folder cannot be written.
    """
    listener = listener or Silent()
    given = {name: value for name, value in (settings or {}).items() if value is not None}
    sampling = model.settings(**({} if classifier is None else {"loss_scale": STRENGTH}) | given)
    if sampling.classifier:
        raise SampleError("classifier is not set by hand: give labelled data, --classifier DATA.")
    guide = None if classifier is None else guide_by(model, classifier, listener)
    if guide is not None:
        sampling = replace(sampling, classifier=guide.key)
    if guide is None:
        asked = model.asker.settled(model.asker.choose(n, wish), seed)
        request = Request(
            model, asked, seed, sampling, base=base_of(model, wish, strength, sampling), strength=strength
        )
    else:
        request = Request(model, choose_labels(guide.classes, n, wish.label), seed, sampling, guide)
    for note in [] if guide else model.asker.notes(request.asked):
        listener.say(f"Warning: {note}")
    entries = describe(request, n)
    saved = save_pictures(Path(out), _pictures(request, n, listener), entries)
    return saved, _film(request, min(n, FILMED), Path(out), entries[0], listener) if film else None


def read_likes(model: PictureModel, files: Sequence[str | Path]) -> list[np.ndarray]:
    """Pictures given as prompts, their central squares at the model's size, uint8 (H, W, C) each.

    Raises:
        SampleError: if the model has no visual words.
        DataError: if one is not there, or is no picture.
    """
    if model.pairs is None:
        refuse_pictures(Wish(like=(np.zeros(0),)))
    channels, size, _ = model.shape
    return [read_picture(file, size, channels) for file in files]


@dataclass(frozen=True)
class Request:
    """Who draws what, and how.

    Attributes:
        model: what draws.
        asked: one thing for each picture, or None: classes of the classifier where there is one, else what
            the model can be asked for.
        seed: of the request.
        sampling: settings.
        guide: a classifier that steers.
        base: x of a picture to begin from, (1, c, h, w); None begins from noise.
        strength: in how much noise it is drowned.
    """

    model: PictureModel
    asked: Sequence[Any] | None
    seed: int
    sampling: Sampling
    guide: Guide | None = None
    base: Tensor | None = None
    strength: float = 1.0

    def walk(self, indices: Sequence[int]) -> Iterator[Step]:
        """The way of some of the pictures, by number."""
        chosen = None if self.asked is None else [self.asked[i] for i in indices]
        loss = None if self.guide is None or chosen is None else self.guide.loss(chosen)
        known = chosen if self.guide is None or self.model.spec.classes else None
        how: dict[str, Any] = {"loss": loss, "base": self.base, "strength": self.strength}
        return self.model.walk(indices, known, seed=self.seed, sampling=self.sampling, **how)


def base_of(model: PictureModel, wish: Wish, strength: float, sampling: Sampling) -> Tensor | None:
    """x of the picture to begin from, (1, c, h, w); None where all of it is drawn anew.

    Raises:
        SampleError: there is not one picture to begin from.
    """
    if strength == 1:
        return None
    if wish.like is None or len(wish.like) != 1:
        raise SampleError(f"--strength {strength:g} begins from one picture: give one, --like PICTURE.")
    channels, *square = model.shape
    shape = model.spec.shape_of(sampling.aspect, (square[0], square[1]))
    picture = decode_picture(np.asarray(wish.like[0]), [shape], channels)
    return model.codec.encode(torch.from_numpy(np.array(picture[None])).permute(0, 3, 1, 2))


def describe(request: Request, n: int) -> list[Provenance]:
    """What every picture of a request will carry."""
    model, asked = request.model, request.asked
    size, fingerprint = model.batch_size(), model.fingerprint()
    entries, room = [], 0
    for i in range(n):
        settings, told = asdict(request.sampling), {}
        if request.guide is None and i % size == 0:
            room = model.asker.room(asked and asked[i : i + size])
        if room:
            settings["room"] = room
        if asked is not None and request.guide is not None:
            settings["class"] = asked[i]  # the classifier in the cache knows numbers only
            told = {"label": request.guide.classes[asked[i]]}
        elif asked is not None:
            told = model.asker.told(asked[i])
            settings |= {name: told.pop(name) for name in [*told] if name not in ("label", "prompt")}
        if request.base is not None:
            settings["strength"] = request.strength
        entries.append(
            Provenance(
                model=fingerprint,
                recipe=model.spec.recipe,
                seed=request.seed,
                index=i,
                batch_first=i - i % size,
                batch_size=min(size, n - (i - i % size)),
                settings=settings,
                **told,
            )
        )
    return entries


def again(
    file: str | Path,
    out: str | Path,
    *,
    model: PictureModel | None = None,
    classifier: str | Path | None = None,
    listener: Listener | None = None,
) -> Path:
    """Draw a generated picture once more; on the same machine the file is the same to the byte.

    Args:
        file: a picture that unfog drew.
        out: folder to write to.
        model: what drew it; found by its fingerprint when left out.
        classifier: data of the classifier that steered it; found in the cache when left out.
        listener: is told about progress.

    Returns:
        The path of the new file.

    Raises:
        DataError: if the file carries no provenance, or is a sheet or film of several.
        ModelError: if the model or classifier is another, or cannot be found.
    """
    entry = read_provenance(file)
    if entry is None:
        raise DataError(f"{file} does not say what made it: it is not from unfog, or its marks were removed.")
    _refuse(file, entry)
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
    guide = _guide_of(entry, model, sampling, classifier, listener or Silent())
    asked = _asked_of(entry, model, guide, indices.stop)
    for step in Request(model, asked, entry.seed, sampling, guide).walk(indices):
        if listener:
            listener.phase("Drawing", step.index + 1, sampling.steps)
        last = step.x_s
    picture = model.to_pictures(last)[entry.index - entry.batch_first]
    path = Path(out) / Path(file).name
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_picture(path, picture, entry)


def _refuse(file: str | Path, entry: Provenance) -> None:
    """Refuse files that cannot be made from what they carry alone.

    Raises:
        DataError: saying what can be done.
    """
    if entry.kind == "between":
        raise DataError(
            f"{file} was drawn between two other pictures. Repeat the command that made it: unfog sample "
            f"MODEL --between {' --between '.join(map(str, entry.settings.get('between', ())))} --out DIR"
        )
    if entry.kind != "picture":
        raise DataError(
            f"{file} shows several pictures ({entry.kind}): give one of the single files beside it."
        )
    if "strength" in entry.settings:
        raise DataError(
            f"{file} began from another picture. Repeat the command that made it: unfog sample MODEL "
            f"--like {entry.settings.get('like')} --strength {entry.settings['strength']} --out DIR"
        )


def _asked_of(entry: Provenance, model: PictureModel, guide: Guide | None, n: int) -> list[Any] | None:
    """What one picture was asked for, n times."""
    if guide is not None:
        return [int(entry.settings["class"])] * n
    settings = entry.settings
    seen = str(settings.get("embedding", ""))
    if entry.label is None and entry.prompt is None and not seen:
        return None
    names = tuple(filter(None, str(settings.get("like", "")).split(", ")))
    negative, room = settings.get("negative"), settings.get("room", 0)
    wish = Wish(label=entry.label, prompt=entry.prompt, negative=negative, room=room)
    weight = float(settings.get("weight", 1.0))
    return model.asker.choose(n, replace(wish, embedding=seen, names=names, weight=weight))


def remember(folder: Path, fingerprint: str) -> None:
    """Note where a model lies, so that a picture can find it by its fingerprint."""
    atomic_write(cache_folder() / "models" / fingerprint, str(folder.absolute()), durable=False)


def find(fingerprint: str) -> PictureModel:
    """The model of a fingerprint, if it still lies where it was last seen.

    Raises:
        ModelError: saying how to name it instead.
    """
    note = cache_folder() / "models" / fingerprint
    if fingerprint.isalnum() and note.is_file():
        folder = Path(note.read_text("utf-8").strip())
        if (folder / "model.json").is_file():
            return load_pictures(folder)
    raise ModelError(
        f"The model {fingerprint[:12]} that drew this was not found. "
        "Name it: unfog sample MODEL --again FILE --out DIR"
    )


def _guide_of(
    entry: Provenance, model: PictureModel, sampling: Sampling, data: str | Path | None, listener: Listener
) -> Guide | None:
    """The classifier that steered a picture, if one did."""
    if not sampling.classifier:
        return None
    guide = guide_again(sampling.classifier) if data is None else guide_by(model, data, listener)
    if guide.key != sampling.classifier:
        raise ModelError(f"Another classifier steered this picture than that of {data}. Give its data.")
    if type(entry.settings.get("class")) is not int:
        raise DataError("The provenance in this file is damaged: it does not say which class was asked for.")
    return guide


def _pictures(request: Request, n: int, listener: Listener) -> Iterator[np.ndarray]:
    size, steps = request.model.batch_size(), request.sampling.steps
    for first in range(0, n, size):
        indices = range(first, min(first + size, n))
        for step in request.walk(indices):
            last = step.x_s
            listener.phase("Drawing", first * steps + (step.index + 1) * len(indices), n * steps)
        yield from request.model.to_pictures(last)


def _film(request: Request, n: int, out: Path, entry: Provenance, listener: Listener) -> Path:
    """The way from noise to the first n pictures, as a film; returns its path."""
    frames, model = [], request.model
    for step in request.walk(range(n)):
        frames.append(model.to_pictures(step.x_t / float(_spread(model, step.t)), quick=True))
        last = step.x_s
        listener.phase("Filming", step.index + 1, request.sampling.steps)
    frames.append(model.to_pictures(last))
    return write_film(_free_name(out, "film", ".webp"), np.stack(frames), entry)


def _spread(model: PictureModel, t: float) -> float:
    """The standard deviation of x_t, to show noisy pictures at the contrast of clean ones."""
    alpha, sigma = model.denoiser.process.scales(t)
    return float((alpha**2 + sigma**2).sqrt())


def _free_name(folder: Path, stem: str, suffix: str) -> Path:
    path, number = folder / f"{stem}{suffix}", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}{suffix}", number + 1
    return path
