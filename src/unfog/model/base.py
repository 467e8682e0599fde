"""What every model is: parts that belong together, with their history; and what those share that generate.

On disk it is a folder: ``model.json`` (what it is), ``model.safetensors`` (its weights), ``card.md`` (for
people), and mostly ``weak.safetensors`` (its weights early in training, for autoguidance).
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import MISSING, Field, asdict, fields
from pathlib import Path
from typing import Any, Self

import torch
from torch import nn

from unfog.atomic import atomic_folder
from unfog.condition import Encoder
from unfog.denoise import Denoiser
from unfog.door import __version__
from unfog.spec.parts import FORMAT
from unfog.weights import EARLY_FILE, NO_EARLY, digest, write_weights


class Model(nn.Module, ABC):
    """What ``unfog train`` leaves and every other command loads.

    Attributes:
        spec: what it is; a frozen dataclass of plain values.
        history: how it was made, oldest first; plain values.
        early: its weights from early in training, where it carries them.
        codec: between raw data and what is computed with.
    """

    spec: Any
    codec: nn.Module

    def __init__(self, spec: Any, history: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__()
        self.spec, self.history = spec, list(history)
        self.early = NO_EARLY

    @classmethod
    @abstractmethod
    def read(cls, folder: Path, description: dict[str, Any]) -> Model:
        """A model without its weights, from ``model.json`` and the files beside it."""

    @abstractmethod
    def generate(self, n: int = 8, *, seed: int = 0, **settings: Any) -> list[Any]:
        """New examples: PIL pictures, or strings; example i of a seed is the same whatever n is."""

    def files(self) -> Mapping[str, str]:
        """Further text files of the model's folder, by name."""
        return {}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def count_parameters(self) -> int:
        """Number of trainable numbers; those of a codec or pair model that was learned before do not."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    def learned_state(self) -> dict[str, torch.Tensor]:
        """All weights by name, but for those of a codec or pair model that was learned before."""
        return {n: t for n, t in self.state_dict().items() if not n.startswith(("codec.", "pairs."))}

    def fingerprint(self) -> str:
        """SHA-256 of what the model is and of its weights: not of its history, nor of how it likes to sample.

        Fields at their defaults do not count, so that a new kind of option leaves old models what they are.
        """
        told = {
            f.name: getattr(self.spec, f.name)
            for f in fields(self.spec)
            if f.name not in ("sampling", "learned") and getattr(self.spec, f.name) != _default(f)
        }
        if self.early.hash:
            told["weak"] = self.early.hash
        return digest(told, self.state_dict())

    def save(
        self,
        folder: str | Path,
        *,
        card: str = "",
        extra: Callable[[Path], None] | None = None,
        half: bool = False,
    ) -> str:
        """Write the model folder, all of it or nothing.

        Args:
            folder: where; an older model there is replaced.
            card: text of ``card.md``.
            extra: called with the unfinished folder, to add files such as a preview.
            half: write weights in half precision; they must have been rounded to it (``export/half.py``).

        Returns:
            The model's fingerprint.
        """
        fingerprint = self.fingerprint()
        with atomic_folder(folder) as temporary:
            write_weights(temporary / "model.safetensors", self.state_dict(), half=half)
            if self.early.hash:
                write_weights(temporary / EARLY_FILE, self.early.read())
            for name, text in self.files().items():
                (temporary / name).write_text(text, "utf-8")
            (temporary / "model.json").write_text(self.described(), "utf-8")
            if card:
                (temporary / "card.md").write_text(card, "utf-8")
            if extra:
                extra(temporary)
        return fingerprint

    def described(self) -> str:
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


class DiffusionModel(Model):
    """A model that makes something: it has a denoiser.

    Attributes:
        denoiser: the one thing that is learned.
        encoder: of classes or words; None without.
    """

    denoiser: Denoiser[Any, Any]
    encoder: Encoder | None

    def __init__(self, spec: Any, history: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(spec, history)
        self._weaker: list[Self] = []  # in a list, as it is no part of this module

    def weaker(self) -> Self:
        """The model as it was early in its training; read when first asked for.

        Raises:
            SampleError: if it was not kept.
            ModelError: if its weights are missing or damaged.
        """
        if not self._weaker or self._weaker[0].device != self.device:
            with torch.inference_mode(False):  # sampling must not make weights that no gradient can pass
                weaker = deepcopy(self)
                weaker.load_state_dict({**self.state_dict(), **self.early.read()})
                self._weaker[:] = [weaker.eval()]
        return self._weaker[0]


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
