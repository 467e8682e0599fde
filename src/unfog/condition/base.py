"""What steers generation, named by how it enters the network and not by what it means.

Any encoder meets any network: a label, a sentence or a small picture becomes one vector, a row of tokens, or
extra channels; a network takes the slots it knows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
        """Two conditions of the same kind as one batch; fewer tokens are filled up, and masked."""
        length = max((len(each.tokens[0]) for each in (self, other) if each.tokens is not None), default=0)
        mine, theirs = self.padded(length).slots(), other.padded(length).slots()
        return Condition(**{name: torch.cat([slot, theirs[name]]) for name, slot in mine.items()})

    def padded(self, length: int) -> Condition:
        """With empty tokens up to ``length``, which ``mask`` marks; unchanged where there are as many."""
        more = 0 if self.tokens is None else length - self.tokens.shape[1]
        if self.tokens is None or more <= 0:
            return self
        mask = torch.ones_like(self.tokens[:, :, 0], dtype=torch.bool) if self.mask is None else self.mask
        return replace(self, tokens=F.pad(self.tokens, (0, 0, 0, more)), mask=F.pad(mask, (0, more)))


NONE = Condition()


class Encoder(nn.Module, ABC):
    """Turns what a person says (a label, a prompt, a picture) into a ``Condition``."""

    @abstractmethod
    def forward(self, raw: Any) -> Condition:
        """Encode a batch."""

    @abstractmethod
    def null(self, batch: int) -> Condition:
        """The condition that says nothing: for guidance, and for condition dropout in training."""

    @abstractmethod
    def of(self, *told: Tensor) -> Condition:
        """The same as calling it, of what a training batch carries: plain tensors (B, ...)."""

    @abstractmethod
    def hide(self, told: tuple[Tensor, ...], hidden: Tensor) -> tuple[Tensor, ...]:
        """What a training batch carries, with nothing said where ``hidden``, (B,), is true."""
