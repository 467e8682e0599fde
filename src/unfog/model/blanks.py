"""How long is a blank? As long as what stands behind it expects, before anything is written into it.

With the blank hidden at every length that is tried, the given tokens behind it are named one after the other;
what that costs is

    -log p(what follows | what stands before, a blank of so many tokens)

with all that could stand in the blank summed over, which the network does by itself. So lengths are compared
by the same tokens, and nothing favours blanks that are short, or that a repeated word fills cheaply: judging
texts that were written into blanks of every length did both, and cost a writing for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from unfog.denoise.categorical import CategoricalPosterior
from unfog.model.canvas import Canvas
from unfog.rng import Noise
from unfog.sample.tokens import drawn, tempered

# lengths of a blank that are tried where none is asked for
TRIED = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32)
FOLLOWING = 4  # given tokens behind each blank that are asked


class Reader(Protocol):
    """A model that says what it makes of some tokens by the others."""

    def without(self, x: Tensor, blank: Tensor, labels: Sequence[int] | None = None) -> CategoricalPosterior:
        """What the other tokens say where ``blank``, see ``TokenModel.without``."""


def guesses(count: int, room: int) -> list[list[int]]:
    """Lengths to try for each of ``count`` blanks where none is asked for; all blanks grow together.

    Args:
        count: of blanks.
        room: tokens that are free for all of them.
    """
    return [[size] * count for size in TRIED if size * count <= max(room, count)]


def following(open: Tensor) -> Tensor:
    """The places of the given tokens behind each blank, in their order, (M,), int64.

    Args:
        open: where a canvas is open, (L,), bool.
    """
    near = torch.zeros_like(open)
    for distance in range(1, FOLLOWING + 1):
        near[distance:] |= open[:-distance]
    return (near & ~open).nonzero()[:, 0]


@torch.inference_mode()
def evidence(model: Reader, canvas: Canvas, mask: int, label: int | None = None) -> float:
    """Log p(what follows the blanks | what stands before it, blanks of these lengths), in nats."""
    open = ~canvas.given(mask)
    after = following(open)
    asked = open | torch.zeros(len(after), len(open), dtype=torch.bool)
    for number in range(len(after)):
        asked[number, after[number:]] = True
    labels = None if label is None else [label] * len(asked)
    posterior = model.without(canvas.tokens.expand(asked.shape), asked, labels)
    here = torch.zeros_like(asked)
    here[torch.arange(len(after)), after] = True
    rows = posterior.rows[here.to(posterior.open.device)[posterior.open]]
    return float(rows.gather(1, canvas.tokens[after].to(rows.device)[:, None]).sum())


def choose(evidences: Sequence[Sequence[float]], temperature: float, rng: Noise) -> list[int]:
    """Which length each version takes: drawn by its evidence, at temperature 0 the best."""
    probs = tempered(torch.tensor(evidences, dtype=torch.float64).log_softmax(1), temperature)
    place = rng.uniform((len(probs),), like=torch.empty(0, dtype=torch.float64))
    chosen: list[int] = drawn(probs, place).tolist()
    return chosen
