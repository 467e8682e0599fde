"""What can be asked of a model of pictures: classes by name, later words and pictures.

One thing is asked for each picture, and only here is it known what kind of thing that is. Samplers, trainer
and recipes hand it through; the model's encoder turns what ``Asker.raw`` makes of it into a ``Condition``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from unfog.errors import SampleError
from unfog.spec import Spec, choose_groups, choose_labels


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a person asks for, for all pictures or for each.

    Attributes:
        label: a class, by name or number.
        prompt: words.
        negative: words that guidance leads away from.
    """

    label: str | int | Sequence[str | int] | None = None
    prompt: str | Sequence[str] | None = None
    negative: str | None = None


NOTHING = Wish()


class Asker(ABC):
    """What a model can be asked for."""

    @abstractmethod
    def choose(self, n: int, wish: Wish = NOTHING) -> list[Any] | None:
        """One thing for each of n pictures; classes, or the model's own examples, take turns by default.

        Raises:
            SampleError: if the model cannot be asked for that.
        """

    @abstractmethod
    def raw(self, asked: Sequence[Any] | None, indices: Sequence[int], seed: int) -> Any:
        """What the encoder reads, for some pictures of a request.

        Args:
            asked: one thing for each of them; None for anything.
            indices: their numbers in the request of this seed; nothing else decides what is drawn by lot.
            seed: of the request.
        """

    def away(self, asked: Sequence[Any] | None) -> Any | None:
        """What guidance leads away from, as the encoder reads it; None for what says nothing."""
        return None

    @abstractmethod
    def told(self, one: Any) -> dict[str, str]:
        """What a picture says it was asked for: fields of ``Provenance``."""


@dataclass(frozen=True)
class Labels(Asker):
    """Classes, each a group of pictures or several groups of look-alikes.

    Attributes:
        spec: of the model; it has groups, or nothing can be asked.
    """

    spec: Spec

    def choose(self, n: int, wish: Wish = NOTHING) -> list[int] | None:
        """See ``Asker.choose``: class numbers; None without classes."""
        if wish.prompt is not None or wish.negative is not None:
            raise SampleError(
                "This model was trained without captions and reads no words: leave --prompt out, or train "
                "one that does: unfog train text2image --data DATA --out RUN"
            )
        otherwise = ", or add --classifier DATA, where DATA has them"
        return choose_labels(self.spec.classes, n, wish.label, otherwise)

    def raw(self, asked: Sequence[int] | None, indices: Sequence[int], seed: int) -> torch.Tensor:
        """See ``Asker.raw``: a group for each picture, as often as in the training pictures of its class."""
        return torch.tensor(choose_groups(self.spec, indices, asked, seed))

    def told(self, one: int) -> dict[str, str]:
        """See ``Asker.told``."""
        return {"label": self.spec.classes[one]}
