"""Which order of naming and how many steps: measured on a model of text, not believed.

Tokens that are named in the same step do not see each other, so fewer calls write faster, and worse. How
much worse is asked of a reader (``evaluate/reader.py``), whose bits alone would praise whoever repeats
himself: so the entropies of words and phrases stand beside them, and must not fall. Everything is held
against the exact way, one token a step in random order, and against real texts that were held out.

The answer, which becomes the model's default, is the cheapest way to write whose bits are as good as the
best to 5 % and whose entropies are those of the exact way to 3 %.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unfog.errors import DataError, SampleError
from unfog.evaluate.cut import words_and_marks
from unfog.evaluate.figure import Figure, average, jackknife
from unfog.evaluate.reader import Reader
from unfog.evaluate.rouge import rouge_figures
from unfog.evaluate.text import entropy, first_words, ngrams
from unfog.model import TextModel
from unfog.model.canvas import Canvas
from unfog.model.tokens import TOKENS_AT_ONCE
from unfog.process import DiscreteProcess, MaskedProcess
from unfog.recipes.assess_text import corpus_of, reader_of
from unfog.recipes.listen import Listener, Silent
from unfog.sample import TOKEN_SAMPLERS, even
from unfog.spec import Writing

COUNTS = (4, 8, 16, 32, 64)  # steps that are tried, up to one for each token
FINER = (1, 2, 4, 8, 16, 32, 64)  # how many steps a token it may take to name them one at a time
SEED = 424_242  # not a seed that anybody writes with
WITHIN, VARIED = 1.05, 0.97  # of the best bits, of the exact way's entropies
GROUPS = 10  # of texts, for the intervals of entropies
SHORT, MANY, FEW = 64, 200, 64  # canvases of up to SHORT tokens are written MANY times, others FEW


@dataclass(frozen=True)
class TextTrial:
    """One sampler with one number of steps.

    Attributes:
        writing: the settings.
        calls: network calls that a text needs by itself.
        tokens: that a text has room for, on average.
        rate: tokens a second, all texts together.
        characters: of a text, on average.
        bits: for each character, by the reader.
        entropy1, entropy4: of words, and of four in a row, in bits.
        rouge: ROUGE-L beside what was wanted, for summaries.
    """

    writing: Writing
    calls: Figure
    tokens: float
    rate: float
    characters: float
    bits: Figure
    entropy1: Figure
    entropy4: Figure
    rouge: Figure | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        figures = {"bits": self.bits, "entropy1": self.entropy1, "entropy4": self.entropy4}
        figures |= {} if self.rouge is None else {"rougeL": self.rouge}
        return {
            "sampler": self.writing.sampler,
            "steps": self.writing.steps,
            "calls": self.calls.to_dict(),
            "calls_per_token": value_of(self.calls) / self.tokens,
            "tokens_per_second": self.rate,
            "characters": self.characters,
            **{name: figure.to_dict() for name, figure in figures.items()},
        }


@dataclass(frozen=True)
class TextAdvice:
    """The answer of ``unfog steps`` for a model of text.

    Attributes:
        trials: every sampler with every number of steps.
        reference: the exact way: one token a step, or for uniform noise as many steps as are worth it.
        real: bits, entropy1 and entropy4 of real texts, by these names.
        chosen: what the model shall do from now on; one of the trials, or the reference.
        judge: who gave the bits, in words.
        texts: how many were written for each trial.
    """

    trials: list[TextTrial]
    reference: TextTrial
    real: dict[str, Figure]
    chosen: TextTrial
    judge: str
    texts: int


def advise_text(
    model: TextModel,
    data: str | Path,
    n: int | None = None,
    *,
    counts: Sequence[int] | None = None,
    listener: Listener | None = None,
) -> TextAdvice:
    """Measure the samplers that fit a model of text; the model itself is not changed, see ``adopt_text``.

    Args:
        model: trained.
        data: what it learned from; half of what it held out trains the reader.
        n: texts for each measurement; 200 of up to 64 tokens, or 64 of more, when left out.
        counts: steps to try, of a block where it writes block by block; what is more than one for each token
            counts as that.
        listener: is told about progress.

    Raises:
        DataError: if there are too few held-out texts.
    """
    listener = listener or Silent()
    bench = _Bench.of(model, data, n, listener)
    most = bench.places
    steps = sorted(
        {min(count, most) for count in counts or (*COUNTS, *([most] if most <= COUNTS[-1] else []))}
    )
    exact = exact_way(model, most)
    plans = [
        replace(exact, sampler=name, steps=count, options={}) for name in fitting(model) for count in steps
    ]
    written = [bench.write(plan, (place, len(plans) + 1)) for place, plan in enumerate([exact, *plans])]
    cut = [[words_and_marks(text) for text in texts] for texts in (bench.real, written[0].texts)]
    size = min(sum(map(len, pieces)) for pieces in cut)
    if size < 4:
        raise DataError("Neither real nor written texts have words to count. Train the model for longer.")
    reference, *trials = [bench.judged(each, size) for each in written]
    real = {"bits": bench.reader.bits_per_character(bench.real), **variety_of(bench.real, size)}
    chosen = choose(trials, reference, value_of(real["bits"]))
    return TextAdvice(trials, reference, real, chosen, bench.reader.describe(), len(bench.canvases))


def adopt_text(model: TextModel, advice: TextAdvice) -> None:
    """Make the advice the model's default, and note it in the history."""
    model.spec = replace(model.spec, sampling=advice.chosen.writing)
    model.history.append(
        {
            "event": "steps",
            "chosen": advice.chosen.to_dict(),
            "reference": advice.reference.to_dict(),
            "real": {name: figure.to_dict() for name, figure in advice.real.items()},
            "judge": advice.judge,
        }
    )


def fitting(model: TextModel) -> list[str]:
    """The samplers that fit the model's process."""
    found = []
    for name, kind in TOKEN_SAMPLERS.items():
        try:
            kind().check(model.denoiser.process, 1)
        except SampleError:
            continue
        found.append(name)
    return found


def exact_way(model: TextModel, places: int) -> Writing:
    """Naming one token a step in random order; for uniform noise, four steps for each token.

    Args:
        model: of text.
        places: tokens to name, of a block where it writes block by block.
    """
    own, process = model.spec.sampling, model.denoiser.process
    if isinstance(process, MaskedProcess):
        return replace(own, sampler="random", steps=one_at_a_time(process, places), options={})
    return replace(own, sampler="uniform", steps=4 * places, options={})


def one_at_a_time(process: DiscreteProcess, places: int) -> int:
    """The fewest steps, of those tried, in which ``random`` never names two tokens at once."""
    for finer in FINER:
        grid, left, most = even(finer * places), places, 0
        kept = process.share(grid).tolist()
        for before, after in pairwise(kept):
            named = int(left * (after - before) / (1 - before) + 0.5)
            left, most = left - named, max(most, named)
        if most <= 1:
            break
    return finer * places


def choose(trials: Sequence[TextTrial], reference: TextTrial, real: float) -> TextTrial:
    """The cheapest trial that is good: near the best bits, and neither dull nor off the point.

    Args:
        trials: what was measured.
        reference: the exact way, which can be chosen, too.
        real: bits of real texts; to be below them is no merit.
    """
    fit = [trial for trial in (*trials, reference) if _holds(trial, reference)]
    best = min(max(real, value_of(trial.bits)) for trial in fit)
    good = [trial for trial in fit if value_of(trial.bits) <= WITHIN * best]
    return min(good or [reference], key=lambda trial: (value_of(trial.calls), value_of(trial.bits)))


def _holds(trial: TextTrial, reference: TextTrial) -> bool:
    """Whether a trial is as varied as the reference, and as near to what was wanted."""
    pairs = [(trial.entropy1, reference.entropy1, VARIED), (trial.entropy4, reference.entropy4, VARIED)]
    if trial.rouge is not None and reference.rouge is not None:
        pairs.append((trial.rouge, reference.rouge, 1 / WITHIN))
    return all(
        theirs.value is None or (ours.value is not None and ours.value >= share * theirs.value)
        for ours, theirs, share in pairs
    )


def value_of(figure: Figure) -> float:
    """Its value; infinite where there is none."""
    return float("inf") if figure.value is None else figure.value


def variety_of(texts: Sequence[str], size: int) -> dict[str, Figure]:
    """``entropy1`` and ``entropy4`` of the first ``size`` words, intervals by leaving out groups of texts."""
    pieces = first_words([words_and_marks(text) for text in texts], size)
    found = {}
    for run in (1, 4):
        whole = ngrams(pieces, run)
        parts = [ngrams(_without(pieces, group), run) for group in range(GROUPS)]
        if not all(part.total() for part in (whole, *parts)):
            found[f"entropy{run}"] = Figure.missing(f"too few texts have {run} words", len(pieces))
            continue
        value = entropy(whole)
        spread = jackknife(value, np.array([entropy(part) for part in parts]))
        found[f"entropy{run}"] = Figure.of(value, spread, whole.total(), floor=0.0)
    return found


def _without(pieces: Sequence[Sequence[str]], group: int) -> list[Sequence[str]]:
    return [text for number, text in enumerate(pieces) if number % GROUPS != group]


@dataclass(frozen=True)
class _Written:
    """What one way of writing wrote, before it is judged."""

    writing: Writing
    texts: list[str]
    calls: NDArray[np.float64]
    seconds: float


@dataclass(frozen=True, eq=False)
class _Bench:
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
    def of(cls, model: TextModel, data: str | Path, n: int | None, listener: Listener) -> _Bench:
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
        return self.model.block or max(_open(canvas, self.model) for canvas in self.canvases)

    def write(self, writing: Writing, part: tuple[int, int]) -> _Written:
        """All texts in one way; ``part`` says which of how many ways it is."""
        texts, calls = [""] * len(self.canvases), np.zeros(len(self.canvases))
        started = time.perf_counter()
        for numbers in self._batches():
            rows = [self.canvases[i] for i in numbers]
            labels = None if self.labels is None else [self.labels[i] for i in numbers]
            needed, last = Needed(self.model), rows[0].tokens
            for done, total, step in self.model.walk(numbers, rows, labels, seed=SEED, writing=writing):
                needed.see(step.t, step.x_t, step.x_s)
                last = step.x_s
                # of one way there may be hundreds of steps, so the bar moves within it
                self.listener.phase(
                    f"Writing with {writing.sampler}, {writing.steps} steps",
                    part[0] * 1000 + 1000 * done // total,
                    part[1] * 1000,
                )
            calls[numbers] = needed.calls
            for i, row in zip(numbers, last.cpu(), strict=True):
                texts[i] = self.model.codec.decode(row[self.canvases[i].start :])
        return _Written(writing, texts, calls, time.perf_counter() - started)

    def _batches(self) -> Iterator[list[int]]:
        alike: dict[int, list[int]] = {}
        for number, canvas in enumerate(self.canvases):
            alike.setdefault(len(canvas.tokens), []).append(number)
        for length, numbers in alike.items():
            size = max(1, TOKENS_AT_ONCE // length)
            yield from (numbers[first : first + size] for first in range(0, len(numbers), size))

    def judged(self, written: _Written, size: int) -> TextTrial:
        """The figures of what was written; those of variety by its first ``size`` words."""
        texts, places = written.texts, [_open(canvas, self.model) for canvas in self.canvases]
        rouge = None if self.wanted is None else rouge_figures(texts, self.wanted)["rougeL"]
        return TextTrial(
            writing=written.writing,
            calls=average(written.calls),
            tokens=float(np.mean(places)),
            rate=sum(places) / written.seconds,
            characters=float(np.mean([len(text) for text in texts])),
            bits=self.reader.bits_per_character(texts),
            rouge=rouge,
            **variety_of(texts, size),
        )


class Needed:
    """Counts the network calls that each text of a batch would need by itself.

    In a batch the network is called for all texts where one needs it. By itself, a text of masked diffusion
    needs a call in each step that changes it, and block by block one more to remember each finished block;
    one of uniform diffusion needs every step.
    """

    def __init__(self, model: TextModel) -> None:
        self.model, self.masked = model, isinstance(model.denoiser.process, MaskedProcess)
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
            self.calls += (~self.over).numpy()
        changed = (x_t != x_s).any(1).cpu() if self.masked else torch.ones_like(self.over)
        if t > 0:
            self.calls += (changed & ~self.over).numpy()


def _open(canvas: Canvas, model: TextModel) -> int:
    return int((~canvas.given(model.codec.mask)).sum())
