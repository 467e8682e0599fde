"""Models on disk: finding the folder, reading what lies there, writing its description anew."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import torch

from unfog.atomic import atomic_write
from unfog.codec import LatentCodec
from unfog.errors import ModelError
from unfog.model.base import DiffusionModel, Model
from unfog.model.codec import CodecModel
from unfog.model.pairs import PairModel
from unfog.model.picture import PictureModel
from unfog.model.text import TextModel
from unfog.spec.parts import describe
from unfog.weights import digest, early_file, read_weights

Kind = TypeVar("Kind", bound=Model)

SHIPPED = Path(__file__).parents[1] / "shipped"
"""Models that come with the package, by name."""


def shipped() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/model.json"))


def restate(model: Model, folder: str | Path) -> None:
    """Write ``model.json`` anew, for a model whose sampling or history changed but not its weights.

    Raises:
        ModelError: if it is one that came with unfog.
    """
    if home(folder).parent == SHIPPED:
        raise ModelError(
            f"{folder} came with unfog and stays as it is. Copy it first: unfog compress {folder} --out DIR"
        )
    atomic_write(home(folder) / "model.json", model.described())


def home(folder: str | Path) -> Path:
    """The model folder itself, where it, the run that holds it, or a model of ``SHIPPED`` was named."""
    folder = Path(folder)
    if not folder.exists() and str(folder) in shipped():
        return SHIPPED / folder
    inner = folder / "model"
    return inner if not (folder / "model.json").is_file() and (inner / "model.json").is_file() else folder


def load(folder: str | Path, device: str | torch.device = "cpu") -> Model:
    """Read a model folder.

    Args:
        folder: a model, or a run that holds one under ``model``.
        device: where to put the weights.

    Raises:
        ModelError: if it is no model, is damaged, or was made by a newer unfog.
    """
    from unfog.model import MODELS  # the table stands in front of this file

    folder = home(folder)
    description = describe(folder)
    recipe = description.get("recipe")
    if recipe not in MODELS:
        raise ModelError(
            f"{folder / 'model.json'} is of the recipe {recipe!r}, which this unfog does not know "
            f"({', '.join(MODELS)}). Update with: pip install -U unfog"
        )
    try:
        model = MODELS[recipe].read(folder, description)
    except (TypeError, ValueError, LookupError, AttributeError, RuntimeError) as error:
        raise ModelError(f"{folder / 'model.json'} does not describe a model: {error}.") from error
    model.load_state_dict(read_weights(folder / "model.safetensors", model.state_dict()))
    if isinstance(description.get("weak"), str):
        model.early = early_file(folder, description["weak"], model.learned_state())
    _check_fingerprint(model, folder, description)
    return model.eval().to(device)


def _check_fingerprint(model: Model, folder: Path, description: dict[str, Any]) -> None:
    expected = model.fingerprint()
    if description["format"] == 1:  # then everything counted, also how it liked to sample
        known = {f.name for f in fields(model.spec)}
        expected = digest({n: description[n] for n in sorted(known & description.keys())}, model.state_dict())
    if description.get("fingerprint") not in (None, expected):
        raise ModelError(
            f"{folder} was changed after it was made: weights or model.json do not match their fingerprint. "
            "Restore it from a copy, or train again."
        )


def load_text(folder: str | Path, device: str | torch.device = "cpu") -> TextModel:
    """A model that writes; see ``load``.

    Raises:
        ModelError: if it makes something else.
    """
    other = "draws pictures and writes no text. Use: unfog sample {folder} --out DIR"
    return _load_kind(TextModel, folder, device, other)


def load_pictures(folder: str | Path, device: str | torch.device = "cpu") -> PictureModel:
    """A model that draws pictures; see ``load``.

    Raises:
        ModelError: if it makes something else.
    """
    other = "makes text and no pictures. Use: unfog write {folder}"
    return _load_kind(PictureModel, folder, device, other)


def load_codec(folder: str | Path, device: str | torch.device = "cpu") -> CodecModel:
    """A learned codec, or the one in which a model of pictures works; see ``load``.

    Raises:
        ModelError: if it is something else.
    """
    model = load(folder, device)
    if isinstance(model, PictureModel) and isinstance(model.codec, LatentCodec):
        return CodecModel.of(model.codec)
    other = "and no codec. Train one: unfog train codec --data DATA --out RUN"
    return _of_kind(CodecModel, model, folder, "is a model of the recipe {recipe!r} " + other)


def load_pairs(folder: str | Path, device: str | torch.device = "cpu") -> PairModel:
    """A pair model; see ``load``.

    Raises:
        ModelError: if it is something else.
    """
    other = "and no pair model. Train one: unfog train pairs --data DATA --out RUN"
    return _load_kind(PairModel, folder, device, "is a model of the recipe {recipe!r} " + other)


_MAKES_NOTHING: dict[type[Model], str] = {
    CodecModel: "is a codec: it makes nothing new by itself. Train a model in its latents: "
    "unfog train image --codec {folder} --data DATA --out RUN",
    PairModel: "is a pair model: it finds pictures and texts, and draws nothing by itself. Use it: "
    "unfog train text2image --pairs {folder} --data DATA --out RUN",
}
"""What to say of a model that has no samples to those who want some."""


def _load_kind(kind: type[Kind], folder: str | Path, device: str | torch.device, other: str) -> Kind:
    """Read a model of this kind; any other is refused with what ``other`` says of it."""
    return _of_kind(kind, load(folder, device), folder, other)


def _of_kind(kind: type[Kind], model: Model, folder: str | Path, other: str) -> Kind:
    if isinstance(model, kind):
        return model
    if issubclass(kind, DiffusionModel):
        other = _MAKES_NOTHING.get(type(model), other)
    raise ModelError(f"{folder} " + other.format(folder=folder, recipe=model.spec.recipe))
