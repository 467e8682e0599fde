"""What was read of a batch of texts, before a picture model makes a condition of it.

Prompts differ in length, and networks want rectangles: shorter texts are filled up with places that ``mask``
marks as empty, and nothing that reads ``Words`` may look there. A text that says nothing (an empty caption,
or one that was hidden to teach the model what no prompt means) keeps its place in the batch and is not
``present``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from unfog.errors import DataError


@dataclass(frozen=True)
class Words:
    """A batch of texts as a language model, or a vocabulary, reads them.

    Attributes:
        states: of each token, (B, N, D), float; or the tokens themselves, (B, N), int64. N is at least 1.
        mask: which places hold a token, (B, N), bool.
        present: which texts say something, (B,), bool.
        pooled: one vector for the whole of each text, (B, D); None where the mean of the states serves.
    """

    states: Tensor
    mask: Tensor
    present: Tensor
    pooled: Tensor | None = None

    def __len__(self) -> int:
        return len(self.mask)

    def __getitem__(self, index: slice | Sequence[int] | Tensor) -> Words:
        """Some of the texts: a slice, a list of places, or a tensor of places or of bools."""
        where = index if isinstance(index, (slice, Tensor)) else torch.tensor(index, dtype=torch.long)
        return Words.from_tensors([each[where] for each in self.tensors()])

    def pick(self, indices: Sequence[int] | Tensor) -> Words:
        """Some of the texts, and no more empty places than the longest of them needs."""
        return self[indices].trim()

    def trim(self) -> Words:
        """Without the places at the end that no text fills."""
        filled = self.mask.any(0).nonzero()
        length = int(filled[-1]) + 1 if len(filled) else 1
        return replace(self, states=self.states[:, :length], mask=self.mask[:, :length])

    def padded(self, length: int) -> Words:
        """With empty places up to ``length``; unchanged where there are as many already."""
        more = length - self.mask.shape[1]
        if more <= 0:
            return self
        rim = (0, 0) * (self.states.ndim - 2) + (0, more)
        return replace(self, states=F.pad(self.states, rim), mask=F.pad(self.mask, (0, more)))

    def cat(self, other: Words) -> Words:
        """Both as one batch; the shorter ones get empty places."""
        length = max(self.mask.shape[1], other.mask.shape[1])
        pairs = zip(self.padded(length).tensors(), other.padded(length).tensors(), strict=True)
        return Words.from_tensors([torch.cat(pair) for pair in pairs])

    def to(self, device: torch.device | str) -> Words:
        """The same on another device."""
        return Words.from_tensors([each.to(device, non_blocking=True) for each in self.tensors()])

    def hide(self, hidden: Tensor) -> Words:
        """Those texts say nothing where ``hidden`` (B,), bool, is True: condition dropout."""
        return replace(self, present=self.present & ~hidden.to(self.present.device))

    def tensors(self) -> tuple[Tensor, ...]:
        """States, mask, present, and pooled where there is one: what a batch of a training loop can carry."""
        given = (self.states, self.mask, self.present)
        return given if self.pooled is None else (*given, self.pooled)

    @classmethod
    def from_tensors(cls, tensors: Sequence[Tensor]) -> Words:
        """Back from ``tensors``."""
        return cls(*tensors)

    @classmethod
    def of_tokens(cls, rows: Sequence[Sequence[int]], longest: int | None = None) -> Words:
        """Tokens of texts, one row each, for an encoder that learns to read by itself.

        Args:
            rows: tokens of each text; none at all is a text that says nothing.
            longest: tokens that are kept of each; None for all.
        """
        kept = [list(row[:longest]) for row in rows]
        length = max(1, max(map(len, kept), default=1))
        states = torch.zeros(len(kept), length, dtype=torch.long)
        mask = torch.zeros(len(kept), length, dtype=torch.bool)
        for place, row in enumerate(kept):
            states[place, : len(row)] = torch.tensor(row, dtype=torch.long)
            mask[place, : len(row)] = True
        return cls(states, mask, mask.any(1))

    def whole(self) -> Tensor:
        """One vector for each text, (B, D): ``pooled``, or the mean of its states; 0 for one without tokens.

        Raises:
            DataError: these are tokens, which have no mean.
        """
        if self.pooled is not None:
            return self.pooled
        if self.states.ndim < 3:
            raise DataError("These words are tokens, not states. Let an OwnTextEncoder read them first.")
        return masked_mean(self.states, self.mask)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """The mean of x (B, N, D) over the places where mask (B, N) is True; 0 where there is none."""
    weight = mask.to(x.dtype)[:, :, None]
    return (x * weight).sum(1) / weight.sum(1).clamp(min=1)
