"""Which order of naming and how many steps: measured on a model of text, not believed.

Tokens that are named in the same step do not see each other, so fewer calls write faster, and worse. How
much worse is asked of a reader (``evaluate/reader.py``), whose bits alone would praise whoever repeats
himself: so the entropies of words and phrases stand beside them, and must not fall. And as a small reader may
not see that a text falls apart, the model takes a second look at its own (``second_look.py``). Everything is
held against the exact way, one token a step in random order, and against real texts that were held out.

The answer, which becomes the model's default, is the cheapest way to write whose bits are as good as the
best to 5 %, on second look those of the exact way to 5 %, and whose entropies are those of the exact way to
3 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from unfog.errors import DataError, SampleError
from unfog.evaluate.cut import words_and_marks
from unfog.evaluate.figure import Figure, average, jackknife
from unfog.evaluate.rouge import rouge_figures
from unfog.evaluate.text import entropy, first_words, ngrams
from unfog.model import TextModel
from unfog.model.text import SUMMARY
from unfog.process import DiscreteProcess, MaskedProcess
from unfog.recipes.listen import Listener, Silent
from unfog.recipes.text_bench import Bench, Written, open_places
from unfog.sample import TOKEN_SAMPLERS, even
from unfog.spec import Writing

COUNTS = (4, 8, 16, 32, 64)  # steps that are tried, up to one for each token
FINER = (1, 2, 4, 8, 16, 32, 64)  # how many steps a token it may take to name them one at a time
WITHIN, VARIED = 1.05, 0.97  # of the best bits, of the exact way's entropies
GROUPS = 10  # of texts, for the intervals of entropies


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
        own: for each token given all others, by the model itself.
        entropy1, entropy4: of words, and of four in a row, in bits.
        rouge: ROUGE-L beside what was wanted, for summaries.
    """

    writing: Writing
    calls: Figure
    tokens: float
    rate: float
    characters: float
    bits: Figure
    own: Figure
    entropy1: Figure
    entropy4: Figure
    rouge: Figure | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        figures = {"bits": self.bits, "own_bits": self.own}
        figures |= {"entropy1": self.entropy1, "entropy4": self.entropy4}
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
        counts: see ``plans_of``.
        listener: is told about progress.

    Raises:
        DataError: if there are too few held-out texts.
    """
    listener = listener or Silent()
    bench = Bench.of(model, data, n, listener)
    exact = exact_way(model, bench.places)
    plans = plans_of(model, exact, bench.places, counts)
    written = [bench.write(plan, (place, len(plans) + 1)) for place, plan in enumerate([exact, *plans])]
    cut = [[words_and_marks(text) for text in texts] for texts in (bench.real, written[0].texts)]
    size = min(sum(map(len, pieces)) for pieces in cut)
    if size < 4:
        raise DataError("Neither real nor written texts have words to count. Train the model for longer.")
    reference, *trials = [judged(bench, each, size) for each in written]
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


def plans_of(
    model: TextModel, exact: Writing, places: int, counts: Sequence[int] | None = None
) -> list[Writing]:
    """What is tried: every sampler that fits, with several numbers of steps, and what the model does now.

    Args:
        model: of text.
        exact: all other settings are those of the exact way.
        places: tokens to name, of a block where it writes block by block.
        counts: steps to try; what is more than one for each token counts as that. Of these alone, and not
            what the model does now.
    """
    tried = counts or (*COUNTS, *([places] if places <= COUNTS[-1] else []))
    steps = sorted({min(count, places) for count in tried})
    plans = [
        replace(exact, sampler=name, steps=count, options={}) for name in fitting(model) for count in steps
    ]
    now = model.settings(**(model.for_summary() if "summarize" in model.spec.tasks else {}))
    return plans if counts or now in (exact, *plans) else [*plans, now]


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
    if "summarize" in model.spec.tasks:
        once = model.spec.once if isinstance(process, MaskedProcess) else 0
        own = replace(own, temperature=SUMMARY["temperature"], no_repeat=once)
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
    fit = _to_the_point([trial for trial in (*trials, reference) if _holds(trial, reference)])
    best = min(max(real, value_of(trial.bits)) for trial in fit)
    good = [trial for trial in fit if value_of(trial.bits) <= WITHIN * best]
    return min(good or [reference], key=lambda trial: (value_of(trial.calls), value_of(trial.bits)))


def _to_the_point(trials: list[TextTrial]) -> list[TextTrial]:
    """Of summaries those that are about as near to what was wanted as the nearest; else all."""
    shares = [0.0 if trial.rouge is None else trial.rouge.value or 0.0 for trial in trials]
    return [trial for trial, share in zip(trials, shares, strict=True) if share >= max(shares) / WITHIN]


def _holds(trial: TextTrial, reference: TextTrial) -> bool:
    """Whether a trial holds together and is varied as the reference is, and as near to what was wanted."""
    if value_of(trial.own) > WITHIN * value_of(reference.own):
        return False
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


def judged(bench: Bench, written: Written, size: int) -> TextTrial:
    """The figures of what was written; those of variety by its first ``size`` words."""
    texts, open = written.texts, [open_places(canvas, bench.model) for canvas in bench.canvases]
    rouge = None if bench.wanted is None else rouge_figures(texts, bench.wanted)["rougeL"]
    return TextTrial(
        writing=written.writing,
        calls=average(written.calls),
        tokens=float(np.mean(open)),
        rate=sum(open) / written.seconds,
        characters=float(np.mean([len(text) for text in texts])),
        bits=bench.reader.bits_per_character(texts),
        own=average(written.own),
        rouge=rouge,
        **variety_of(texts, size),
    )
