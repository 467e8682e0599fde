"""A model: codec, encoder and denoiser that belong together, with the history of how they were made.

On disk it is a folder: ``model.json`` (what it is), ``model.safetensors`` (its weights), ``card.md`` (for
people), and mostly ``weak.safetensors`` (its weights early in training, for autoguidance).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from unfog.atomic import atomic_folder, atomic_write
from unfog.codec import PixelCodec, PixelStatistics
from unfog.condition import NONE, Condition, LabelEncoder
from unfog.config import nearest
from unfog.denoise import TARGETS, Denoiser, GaussianDenoiser
from unfog.door import __version__
from unfog.errors import ModelError
from unfog.guide.steer import Surroundings, check_guides, steer
from unfog.nets import NETWORKS
from unfog.process import SCHEDULES, GaussianProcess
from unfog.rng import Noise
from unfog.sample import GRIDS, SAMPLERS, Step, through, trajectory
from unfog.spec import (
    FORMAT,
    Sampling,
    Spec,
    build_part,
    check_grid,
    choose,
    choose_groups,
    choose_labels,
    class_index,
    describe,
    lookup,
    with_learned,
)
from unfog.weights import EARLY_FILE, NO_EARLY, digest, early_file, read_weights, write_weights

if TYPE_CHECKING:
    from PIL.Image import Image

PictureLoss = Callable[[Tensor], Tensor]

PIXELS_AT_ONCE = 100 * 28 * 28  # how many pixels are sampled together, which bounds memory


class Model(nn.Module):
    """What ``unfog train`` leaves and every other command loads.

    Attributes:
        spec: what it is.
        history: how it was made, oldest first; plain values.
        early: its weights from early in training, where it carries them.
    """

    def __init__(self, spec: Spec, history: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__()
        self.spec, self.history = spec, list(history)
        self.early = NO_EARLY
        self._weaker: list[Model] = []  # in a list, as it is no part of this module
        statistics = build_part(PixelStatistics, spec.statistics, "pixel statistics")
        network, options = dict(spec.network), dict(spec.schedule)
        kind = network.pop("kind", "unet")
        if kind not in NETWORKS:
            raise ModelError(f"There is no network {kind!r}. {nearest(kind, NETWORKS)}")
        build, config_type = NETWORKS[kind]
        config = build_part(config_type, {**network, "channels": statistics.shape[0]}, f"network {kind!r}")
        schedule = options.pop("kind", "cosine")
        if schedule not in SCHEDULES or spec.target not in TARGETS:
            raise ModelError(
                f"Unknown schedule {schedule!r} or target {spec.target!r}. Schedules: "
                f"{', '.join(SCHEDULES)}; targets: {', '.join(TARGETS)}."
            )
        process = GaussianProcess(build_part(SCHEDULES[schedule], options, f"schedule {schedule!r}"))
        self.codec = PixelCodec(statistics)
        self.encoder = LabelEncoder(len(spec.groups), config.vector) if spec.groups else None
        self.denoiser = GaussianDenoiser(
            build(config), process, TARGETS[spec.target], variance=config.variance
        )

    # ---- what it is -------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of a picture."""
        return self.codec.statistics.shape

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def count_parameters(self) -> int:
        """Number of trainable numbers."""
        return sum(p.numel() for p in self.parameters())

    def fingerprint(self) -> str:
        """SHA-256 of what the model is and of its weights: not of its history, nor of how it likes to sample.

        Fields at their defaults do not count, so that a new kind of option leaves old models what they are.
        """
        told = {
            f.name: getattr(self.spec, f.name)
            for f in fields(self.spec)
            if f.name not in ("sampling", "learned") and getattr(self.spec, f.name) != f.default
        }
        if self.early.hash:
            told["weak"] = self.early.hash
        return digest(told, self.state_dict())

    def class_index(self, label: str | int) -> int:
        """The number of a class, by name or number.

        Raises:
            SampleError: naming the nearest class.
        """
        return class_index(self.spec.classes, label)

    # ---- sampling ---------------------------------------------------------------------------------

    def generate(
        self,
        n: int = 8,
        *,
        label: str | int | Sequence[str | int] | None = None,
        seed: int = 0,
        progress: Callable[[int, int], None] | None = None,
        loss: PictureLoss | None = None,
        **settings: Any,
    ) -> list[Image]:
        """New pictures.

        Args:
            n: how many.
            label: a class for all, or one for each; classes take turns when left out.
            seed: picture i of a seed is the same whatever n is.
            progress: called with steps done and steps in all.
            loss: what to steer by: how wrong each picture is, (B,), differentiable, from pictures
                (B, C, H, W) where black is 0 and white is 1; ``loss_scale`` says how strongly.
            **settings: fields of ``Sampling``, and options of the sampler, to change, e.g.
                ``steps=20, guidance=2, sampler="ddim", eta=0.5``.

        Returns:
            n PIL pictures.
        """
        from PIL import Image

        labels = self.choose_labels(n, label)
        sampling = self.settings(**settings)
        pictures = self.draw(labels, n, seed=seed, sampling=sampling, progress=progress, loss=loss)
        return [Image.fromarray(p[..., 0] if p.shape[-1] == 1 else p) for p in pictures]

    def settings(self, **changes: Any) -> Sampling:
        """The model's own sampling settings with some changed; None means unchanged.

        Raises:
            SampleError: for an unknown setting, sampler, grid or threshold.
        """
        chosen = choose(self.spec.sampling, {k: v for k, v in changes.items() if v is not None}, SAMPLERS)
        lookup({**GRIDS, "optimised": None}, chosen.grid, "time grid")
        chosen = with_learned(chosen, self.spec.learned)
        check_grid(chosen)
        check_guides(chosen, conditional=self.encoder is not None)
        if chosen.autoguidance != 1.0:
            self.weaker()  # now, so that an error comes before any work
        SAMPLERS[chosen.sampler](**chosen.options).check(self.denoiser.process, chosen.steps)
        return chosen

    def choose_labels(self, n: int, label: str | int | Sequence[str | int] | None = None) -> list[int] | None:
        """One class number for each of n pictures; None for a model without classes.

        Raises:
            SampleError: if a label does not exist, or their number is not n.
        """
        return choose_labels(self.spec.classes, n, label)

    def choose_groups(self, indices: Sequence[int], labels: Sequence[int] | None, seed: int) -> list[int]:
        """A group of look-alikes for each picture, as often as in the training pictures of its class.

        Args:
            indices: numbers of the pictures in the request of this seed; the choice depends on nothing else.
            labels: one class number each; None for any.
            seed: of the request.
        """
        return choose_groups(self.spec, indices, labels, seed)

    def batch_size(self) -> int:
        """How many pictures are sampled at once."""
        return max(1, PIXELS_AT_ONCE // (self.shape[1] * self.shape[2]))

    def draw(
        self,
        labels: Sequence[int] | None,
        n: int,
        *,
        seed: int = 0,
        sampling: Sampling | None = None,
        progress: Callable[[int, int], None] | None = None,
        loss: PictureLoss | None = None,
    ) -> np.ndarray:
        """New pictures as numbers.

        Args:
            labels: one class number each, or None.
            n: how many.
            seed: of the request.
            sampling: settings; the model's own when left out.
            progress: called with steps done and steps in all.
            loss: what to steer by, see ``generate``.

        Returns:
            uint8, (n, H, W, C).
        """
        sampling = sampling or self.spec.sampling
        size, parts = self.batch_size(), []
        batches = range(0, n, size)
        for number, first in enumerate(batches):
            indices = range(first, min(first + size, n))
            chosen = None if labels is None else [labels[i] for i in indices]
            last: Tensor | None = None
            for step in self.walk(indices, chosen, seed=seed, sampling=sampling, loss=loss):
                last = step.x_s
                if progress:
                    progress(number * sampling.steps + step.index + 1, len(batches) * sampling.steps)
            assert last is not None
            parts.append(self.to_pictures(last))
        return np.concatenate(parts)

    @torch.inference_mode()  # as a decorator, so that it does not stay on for the caller between two steps
    def walk(
        self,
        indices: Sequence[int],
        labels: Sequence[int] | None,
        *,
        seed: int = 0,
        sampling: Sampling | None = None,
        loss: PictureLoss | None = None,
    ) -> Iterator[Step]:
        """The way of one batch from noise to pictures; ``to_pictures`` shows any x on it.

        Args:
            indices: numbers of the pictures in the request of this seed.
            labels: one class number each, or None.
            seed: of the request.
            sampling: settings; the model's own when left out.
            loss: what to steer by, see ``generate``.
        """
        sampling = sampling or self.spec.sampling
        process = self.denoiser.process
        layout = through(sampling.levels) if sampling.grid == "optimised" else GRIDS[sampling.grid]
        grid = layout(process, sampling.steps, sampling.start, sampling.end)
        sampler = SAMPLERS[sampling.sampler](**sampling.options)
        rng = Noise.for_pictures(seed, indices)
        x = process.prior((len(indices), *self.shape), rng, grid[0]).to(self.device)
        denoiser, cond = self.steered(indices, labels, seed=seed, sampling=sampling, loss=loss)
        was_training = self.training
        self.eval()
        try:
            yield from trajectory(denoiser, sampler, grid, x, cond, rng=rng)
        finally:
            self.train(was_training)

    def steered(
        self,
        indices: Sequence[int],
        labels: Sequence[int] | None,
        *,
        seed: int,
        sampling: Sampling,
        loss: PictureLoss | None = None,
    ) -> tuple[Denoiser, Condition]:
        """The denoiser behind all guides, and the condition, for these pictures; see ``walk``."""
        cond, null, weak, groups = NONE, NONE, None, torch.empty(0)
        if self.encoder is not None:
            groups = torch.tensor(self.choose_groups(indices, labels, seed), device=self.device)
            cond, null = self.encoder(groups), self.encoder.null(len(indices))
        if sampling.autoguidance != 1.0:
            weaker = self.weaker()
            weak = weaker.denoiser, NONE if weaker.encoder is None else weaker.encoder(groups)
        wish = None if loss is None else lambda posterior: loss(self.codec.to_unit(posterior.mean))
        around = Surroundings(null, weak, wish, self.codec.limits())
        return steer(self.denoiser, sampling, around), cond

    def weaker(self) -> Model:
        """The model as it was early in its training; read when first asked for.

        Raises:
            SampleError: if it was not kept.
            ModelError: if its weights are missing or damaged.
        """
        if not self._weaker or self._weaker[0].device != self.device:
            with torch.inference_mode(False):  # sampling must not make weights that no gradient can pass
                weaker = deepcopy(self)
                weaker.load_state_dict(self.early.read())
                self._weaker[:] = [weaker.eval()]
        return self._weaker[0]

    def to_pictures(self, x: Tensor) -> np.ndarray:
        """x, (B, C, H, W), as uint8 pictures (B, H, W, C)."""
        pictures: np.ndarray = self.codec.decode(x).permute(0, 2, 3, 1).cpu().numpy()
        return pictures

    # ---- on disk ----------------------------------------------------------------------------------

    def save(self, folder: str | Path, *, card: str = "", extra: Callable[[Path], None] | None = None) -> str:
        """Write the model folder, all of it or nothing.

        Args:
            folder: where; an older model there is replaced.
            card: text of ``card.md``.
            extra: called with the unfinished folder, to add files such as a preview.

        Returns:
            The model's fingerprint.
        """
        fingerprint = self.fingerprint()
        with atomic_folder(folder) as temporary:
            write_weights(temporary / "model.safetensors", self.state_dict())
            if self.early.hash:
                write_weights(temporary / EARLY_FILE, self.early.read())
            (temporary / "model.json").write_text(self._described(), "utf-8")
            if card:
                (temporary / "card.md").write_text(card, "utf-8")
            if extra:
                extra(temporary)
        return fingerprint

    def _described(self) -> str:
        """The text of ``model.json``."""
        description = {
            "format": FORMAT,
            "unfog": __version__,
            "fingerprint": self.fingerprint(),
            "parameters": self.count_parameters(),
            **({"weak": self.early.hash} if self.early.hash else {}),
            **asdict(self.spec),
            "history": self.history,
        }
        return json.dumps(description, indent=2, ensure_ascii=False) + "\n"


def restate(model: Model, folder: str | Path) -> None:
    """Write ``model.json`` anew, for a model whose sampling or history changed but not its weights."""
    atomic_write(home(folder) / "model.json", model._described())


def home(folder: str | Path) -> Path:
    """The model folder itself, where it or the run that holds it was named."""
    folder = Path(folder)
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
    folder = home(folder)
    description = describe(folder)
    known = {f.name for f in fields(Spec)}
    spec_values = {name: value for name, value in description.items() if name in known}
    try:
        spec_values["sampling"] = build_part(Sampling, spec_values.get("sampling", {}), "sampling")
        for name in ("classes", "groups", "shares"):
            spec_values[name] = tuple(spec_values.get(name, ()))
        model = Model(Spec(**spec_values), description.get("history", []))
    except (TypeError, ValueError, LookupError, AttributeError, RuntimeError) as error:
        raise ModelError(f"{folder / 'model.json'} does not describe a model: {error}.") from error
    model.load_state_dict(read_weights(folder / "model.safetensors", model.state_dict()))
    if isinstance(description.get("weak"), str):
        model.early = early_file(folder, description["weak"], model.state_dict())
    expected = model.fingerprint()
    if description["format"] == 1:  # then everything counted, also how it liked to sample
        expected = digest({n: description[n] for n in sorted(known & description.keys())}, model.state_dict())
    if description.get("fingerprint") not in (None, expected):
        raise ModelError(
            f"{folder} was changed after it was made: weights or model.json do not match their fingerprint. "
            "Restore it from a copy, or train again."
        )
    return model.eval().to(device)
