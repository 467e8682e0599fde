"""What steers generation, named by how it enters the network and not by what it means.

Any encoder meets any network: a label, a sentence or a small picture becomes one vector, a row of tokens, or
extra channels; a network takes the slots it knows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Condition:
    """One slot per way in; an empty slot is None.

    Attributes:
        vector: added to the noise-level embedding, (B, D).
        tokens: attended to, (B, N, D).
        mask: which tokens are real, (B, N), bool.
        picture: attended to beside them, a picture given as a prompt, (B, M, P); its length is its strength,
            and zeros say nothing.
        concat: stacked onto the input channels, (B, C, H, W).
    """

    vector: Tensor | None = None
    tokens: Tensor | None = None
    mask: Tensor | None = None
    picture: Tensor | None = None
    concat: Tensor | None = None

    def slots(self) -> dict[str, Tensor]:
        """The filled slots by name: the keyword arguments for a network."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}

    def map(self, change: Callable[[Tensor], Tensor]) -> Condition:
        """The same condition with every filled slot changed."""
        return Condition(**{name: change(value) for name, value in self.slots().items()})

    def cat(self, other: Condition) -> Condition:
        """Two conditions of the same kind as one batch."""
        theirs = other.slots()
        return Condition(**{name: torch.cat([mine, theirs[name]]) for name, mine in self.slots().items()})


NONE = Condition()


class Encoder(nn.Module, ABC):
    """Turns what a person says (a label, a prompt, a picture) into a ``Condition``."""

    @abstractmethod
    def forward(self, raw: Any) -> Condition:
        """Encode a batch."""

    @abstractmethod
    def null(self, batch: int) -> Condition:
        """The condition that says nothing: for guidance, and for condition dropout in training."""
