"""Canvases that a model of text is tried on, in one way of writing after the other, and what each costs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unfog.errors import DataError
from unfog.evaluate.reader import Reader
from unfog.model import TextModel
from unfog.model.canvas import Canvas
from unfog.model.tokens import TOKENS_AT_ONCE
from unfog.process import MaskedProcess
from unfog.recipes.assess_text import corpus_of, reader_of
from unfog.recipes.listen import Listener
from unfog.recipes.second_look import second_look, unread, written_places
from unfog.spec import Writing

SEED = 424_242  # not a seed that anybody writes with
LOOKS = 4  # tokens of each text at the second look
SHORT, MANY, FEW = 64, 200, 64  # canvases of up to SHORT tokens are written MANY times, others FEW


@dataclass(frozen=True)
class Written:
    """What one way of writing wrote, before it is judged."""

    writing: Writing
    texts: list[str]
    own: NDArray[np.float64]
    calls: NDArray[np.float64]
    seconds: float


@dataclass(frozen=True, eq=False)
class Bench:
    """Canvases that every trial writes on, and who judges.

    Attributes:
        model: that writes.
        canvases: the same for all trials.
        labels: a class for each, or None.
        wanted: the summaries that people wrote; None where none is asked for.
        real: texts like those that are written, which neither model nor reader learned from.
        reader: the judge.
        listener: is told about progress.
    """

    model: TextModel
    canvases: list[Canvas]
    labels: list[int] | None
    wanted: list[str] | None
    real: list[str]
    reader: Reader
    listener: Listener

    @classmethod
    def of(cls, model: TextModel, data: str | Path, n: int | None, listener: Listener) -> Bench:
        """Canvases for n texts, or for what suits their length, and a reader of half of what was held out.

        Raises:
            DataError: if too few texts are held out, or all are too long.
        """
        corpus = corpus_of(model, data, listener)
        pairs = corpus.targets is not None and "summarize" in model.spec.tasks
        texts = corpus.targets if pairs and corpus.targets is not None else corpus.texts
        held = corpus.held_out.tolist()
        half = len(held) // 2
        if half < 2:
            raise DataError(
                f"{data} holds out {len(held)} texts: a reader needs at least two to learn from, and two to "
                "compare with. Give more texts."
            )
        n = n or (MANY if model.spec.context <= SHORT else FEW)
        chosen = list[int]()
        if pairs:
            longest = model.layout.longest
            chosen = [i for i in held[half:] if len(model.codec.encode_text(corpus.texts[i])) <= longest][:n]
            if not chosen:
                raise DataError(
                    f"All held-out texts have more than {longest} tokens, all that it summarises."
                )
            canvases = [model.layout.beneath(corpus.texts[i], known=False) for i in chosen]
        else:
            canvases = [model.layout.beginning()] * n
        labels = model.choose_labels(len(canvases))
        if chosen and labels is not None and corpus.labels is not None:
            labels = [int(corpus.labels[i]) for i in chosen]
        return cls(
            model,
            canvases,
            labels,
            [texts[i] for i in chosen] if pairs else None,
            [texts[i] for i in held[half:]],
            reader_of([texts[i] for i in held[:half]], model, listener),
            listener,
        )

    @property
    def places(self) -> int:
        """Tokens that are open on the widest canvas; of a block where the model writes block by block."""
        return self.model.block or max(open_places(canvas, self.model) for canvas in self.canvases)

    def write(self, writing: Writing, part: tuple[int, int]) -> Written:
        """All texts in one way; ``part`` says which of how many ways it is."""
        texts, calls, own = (
            [""] * len(self.canvases),
            np.zeros(len(self.canvases)),
            np.zeros(len(self.canvases)),
        )
        seconds = 0.0
        for numbers in self._batches():
            rows = [self.canvases[i] for i in numbers]
            labels = None if self.labels is None else [self.labels[i] for i in numbers]
            needed, last, started = Needed(self.model), rows[0].tokens, time.perf_counter()
            for done, total, step in self.model.walk(numbers, rows, labels, seed=SEED, writing=writing):
                needed.see(step.t, step.x_t, step.x_s)
                last = step.x_s
                # of one way there may be hundreds of steps, so the bar moves within it
                self.listener.phase(
                    f"Writing with {writing.sampler}, {writing.steps} steps",
                    part[0] * 1000 + 1000 * done // total,
                    part[1] * 1000,
                )
            seconds += time.perf_counter() - started
            calls[numbers] = needed.calls
            last = last.cpu()
            looks, shown = self._looks(rows, last), last
            if self.model.layout.packed and self.model.whole:  # END after END stands in none of its rows
                first = torch.stack([row.tokens for row in rows])
                shown = unread(first, last, self.model.codec.mask, self.model.codec.end)
            own[numbers] = second_look(self.model, shown, looks, labels).mean(1).numpy()
            for i, row in zip(numbers, last, strict=True):
                texts[i] = self.model.codec.decode(row[self.canvases[i].start :])
        return Written(writing, texts, own, calls, seconds)

    def _looks(self, canvases: Sequence[Canvas], texts: Tensor) -> Tensor:
        """Where to look at each text again, (B, LOOKS): at any of its tokens, with its END."""
        found, rng, codec = [], np.random.default_rng(SEED), self.model.codec
        for canvas, text in zip(canvases, texts, strict=True):
            places = written_places(canvas.tokens, text, codec.mask, codec.end)
            found.append(places[torch.from_numpy(rng.integers(0, len(places), LOOKS))])
        return torch.stack(found)

    def _batches(self) -> Iterator[list[int]]:
        alike: dict[int, list[int]] = {}
        for number, canvas in enumerate(self.canvases):
            alike.setdefault(len(canvas.tokens), []).append(number)
        for length, numbers in alike.items():
            size = max(1, TOKENS_AT_ONCE // length)
            yield from (numbers[first : first + size] for first in range(0, len(numbers), size))


class Needed:
    """Counts the network calls that each text of a batch would need by itself.

    In a batch the network is called for all texts where one needs it. By itself, a text of masked diffusion
    needs a call in each step that changes it, and one at the beginning to know its length; one of uniform
    diffusion needs every step.
    """

    def __init__(self, model: TextModel) -> None:
        self.model, self.masked = model, isinstance(model.denoiser.process, MaskedProcess)
        self.lengths = self.masked and not (model.block or model.layout.packed)
        self.first: Tensor | None = None
        self.over: Tensor | None = None
        self.calls: NDArray[np.float64] = np.zeros(0)

    def see(self, t: float, x_t: Tensor, x_s: Tensor) -> None:
        """Count one step, from x_t at time t to x_s, (B, L)."""
        if self.first is None or self.over is None:
            self.first, self.over, self.calls = (
                x_t,
                torch.zeros(len(x_t), dtype=torch.bool),
                np.zeros(len(x_t)),
            )
        elif t == 1.0:  # a new block
            ended = (x_t == self.model.codec.end) & (self.first == self.model.codec.mask)
            self.over = self.over | ended.any(1).cpu()
        changed = (x_t != x_s).any(1).cpu() if self.masked else torch.ones_like(self.over)
        if self.lengths and x_t is self.first:
            changed = torch.ones_like(changed)
        if t > 0:
            self.calls += (changed & ~self.over).numpy()


def open_places(canvas: Canvas, model: TextModel) -> int:
    """How many tokens of a canvas are to be written."""
    return int((~canvas.given(model.codec.mask)).sum())
