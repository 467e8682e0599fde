"""What a training step minimises, whatever the data: draw all chance first, then compute.

``draw`` settles on the processor, for the whole batch, what a step depends on: times, noise, hidden labels.
``forward`` is then a plain function of tensors whose first axis is the example, so that several devices can
share a batch, a step can be taken again, and validation can ask the same question every time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from unfog.condition import ANY
from unfog.rng import Noise

Batch = tuple[Tensor | None, ...]
"""One entry for each kind of thing; the first axis of each tensor is the example."""


class Objective(nn.Module, ABC):
    """Denoiser and encoder with their loss as one module: what an accelerator wraps and synchronises.

    Attributes:
        at_once: examples that a processor does well to compute together; None for all of a batch.
        late: whether the learning rate falls, from where on some things are learned that need little time.
        late_cost: how much longer a step then takes, about.
    """

    at_once: int | None = None
    late: bool = True
    late_cost: float = 1.0

    @abstractmethod
    def draw(self, batch: Batch, rng: Noise, *, hide: float | None = None) -> Batch:
        """What the loss of this batch depends on.

        Args:
            batch: as a source gives it.
            rng: of the step.
            hide: share of labels to hide, so that the model also learns what it does without; None when it is
                not learning but asked how well it does, and nothing shall be hidden or mixed.
        """

    @abstractmethod
    def forward(self, *drawn: Tensor | None) -> Tensor:
        """The loss of what was drawn, one number per example, (B,)."""


def hidden(labels: Tensor | None, share: float, rng: Noise) -> Tensor | None:
    """Labels (B,) with a share of them replaced by "any"."""
    if labels is None:
        return None
    return torch.where(rng.uniform((len(labels),)) < share, ANY, labels)


def slices(drawn: Batch, size: int | None, device: torch.device) -> list[Batch]:
    """What was drawn, on a device and, where that is a processor, in slices of ``size`` examples.

    An accelerator takes all at once: it has the memory, and is faster that way.
    """
    count = len(next(part for part in drawn if part is not None))
    size = size if size and device.type == "cpu" else count
    return [
        tuple(None if part is None else part[first : first + size].to(device) for part in drawn)
        for first in range(0, count, size)
    ]
