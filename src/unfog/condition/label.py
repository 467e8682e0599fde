"""Class labels: one learned vector per class, and one for "any"."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unfog.condition.base import Condition, Encoder

ANY = -1  # the label that says nothing


class LabelEncoder(Encoder):
    """An embedding table with one more row than classes; label -1 means "any".

    Args:
        classes: number of classes, at least 1.
        width: length D of the vectors.
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.classes = classes
        self.table = nn.Embedding(classes + 1, width)

    def forward(self, raw: Tensor) -> Condition:
        """Labels (B,), integers from -1 to classes - 1, become vectors (B, D)."""
        labels = raw.to(self.table.weight.device)
        return Condition(vector=self.table(torch.where(labels < 0, self.classes, labels)))

    def of(self, *told: Tensor) -> Condition:
        """See ``Encoder.of``: labels (B,)."""
        condition: Condition = self(told[0])
        return condition

    def hide(self, told: tuple[Tensor, ...], hidden: Tensor) -> tuple[Tensor, ...]:
        """See ``Encoder.hide``."""
        return (torch.where(hidden, ANY, told[0]),)

    def null(self, batch: int) -> Condition:
        """The vector for "any", (batch, D)."""
        nothing: Condition = self(torch.full((batch,), ANY))
        return nothing
