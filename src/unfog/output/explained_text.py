"""What the page of ``unfog explain`` shows of a model of text, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HIDDEN, END, GAP = "░", "∎", "→"  # what no text has, as it is shown


@dataclass(frozen=True)
class Cell:
    """One token on a canvas.

    Attributes:
        text: what is shown of it.
        kind: "kept", "hidden", "lost" (exchanged for another), "new" (just written), "asked", "end".
        sure: how probable the model thought it when it was written, 0..1; None where that does not matter.
    """

    text: str
    kind: str = "kept"
    sure: float | None = None


@dataclass(kw_only=True)
class Canvas:
    """A canvas at one moment.

    Attributes:
        t: time.
        share: of its tokens that are still, or already, there.
        cells: its tokens.
    """

    t: float
    share: float
    cells: Sequence[Cell]


@dataclass(kw_only=True)
class Guess:
    """What the model says of one hidden place, while so many of its neighbours can be seen.

    Attributes:
        seen: how many tokens can be seen.
        cells: the part of the canvas around the place.
        tokens: the likeliest ones with their probabilities, the likeliest first.
        true: the probability of the true one.
        entropy: of all probabilities, in bits.
    """

    seen: int
    cells: Sequence[Cell]
    tokens: Sequence[tuple[str, float]]
    true: float
    entropy: float


@dataclass(kw_only=True)
class Order:
    """The way back in one order.

    Attributes:
        name: of ``TOKEN_SAMPLERS``.
        calls: of the network that the text needed.
        canvases: at some moments, from noise to text.
    """

    name: str
    calls: int
    canvases: Sequence[Canvas]


@dataclass(kw_only=True)
class Attempt:
    """A text written in so many steps.

    Attributes:
        steps: asked for.
        calls: of the network that it needed.
        text: what came out.
        bits: mean -log2 p(token | all others), by the model itself.
    """

    steps: int
    calls: int
    text: str
    bits: float


@dataclass(kw_only=True)
class TextLosses:
    """How surprising lost tokens are to the model, by how much is lost.

    Attributes:
        lost: shares, (L,), the middles of equal parts of 0..1.
        lines: name to bits for each token, (L,): "network", "frequency" (single tokens as often as in
            training), "even" (all equally likely).
        count: texts that were asked.
    """

    lost: Floats
    lines: Mapping[str, Floats]
    count: int

    @property
    def area(self) -> float:
        """The area under the network's line, bits for each token."""
        return float(self.lines["network"].mean())


@dataclass(kw_only=True)
class TextExplanation:
    """Everything on the page.

    Attributes:
        title: name of the model.
        kind: "masked" or "uniform".
        keep: name of the schedule.
        block: tokens of a block; 0 where the model does not write block by block.
        origin: where the texts come from: "drawn" by the model itself, or "held_out" from data.
        source: name of the data; empty without.
        other_data: whether the model was trained on other texts than those.
        weights: how many numbers the network has.
        vocabulary: how many tokens there are.
        tokens: their kind.
        context: how many the model sees at once.
        label: the class that was asked for; empty without.
        given: the source of the summary that is written; empty for other texts.
        curves: by name of the schedule, alpha over evenly spread t in 0..1; the model's own first.
        forward: a text being forgotten.
        truth: the true token of the guesses.
        guesses: with ever more neighbours.
        orders: one for each sampler that fits.
        steps: of each of these.
        attempts: by sampler, the same seed in few and in many steps.
        losses: by how much is lost.
        made_by: further facts, name to value.
        command: command line that makes the page again.
    """

    title: str
    kind: str
    keep: str
    block: int
    origin: str
    source: str
    other_data: bool
    weights: int
    vocabulary: int
    tokens: str
    context: int
    label: str
    given: str
    curves: Mapping[str, Floats]
    forward: Sequence[Canvas]
    truth: str
    guesses: Sequence[Guess]
    orders: Sequence[Order]
    steps: int
    attempts: Mapping[str, Sequence[Attempt]]
    losses: TextLosses
    made_by: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
