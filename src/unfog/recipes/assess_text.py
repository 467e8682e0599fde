"""Measuring a model of text: how well it predicts, what it writes, fills in and summarises."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unfog.condition import NONE, Condition
from unfog.data import Corpus, TextOptions, open_corpus
from unfog.errors import DataError, UsageError
from unfog.evaluate.copied import TrainingText
from unfog.evaluate.figure import Figure, average
from unfog.evaluate.reader import Reader
from unfog.evaluate.reader_cache import open_reader
from unfog.evaluate.rouge import lead_sentence, rouge_figures
from unfog.evaluate.text import TextQuality, accuracy_in_blank, evaluate_texts
from unfog.evaluate.tokens import block_bound, token_bound
from unfog.evaluate.verse import Rhymes, quatrain_lines, rhyme_ends
from unfog.model.canvas import rounded
from unfog.model.text import TextModel
from unfog.recipes.assess import Evaluation, trained_on
from unfog.recipes.language_rows import Tokenised
from unfog.recipes.listen import Listener, Silent
from unfog.rng import Noise
from unfog.train.rows import Rows

LOOKS = 4096  # at all held-out rows together, at different noise levels
BATCH = 64
BLANK = 3  # tokens in a blank that is filled to see how often that is right
VERSES = 0.9  # share of texts that are quatrains, from which they are judged as such
MOST_ROWS = 1000  # held-out rows that the bound is measured on


def evaluate_text(
    model: TextModel,
    data: str | Path,
    n: int = 200,
    *,
    seed: int = 0,
    settings: dict[str, Any] | None = None,
    listener: Listener | None = None,
) -> Evaluation:
    """Measure a model on texts that its training held out.

    Args:
        model: what to measure.
        data: the texts it learned from, or others of their kind.
        n: texts to write, or to summarise.
        seed: of what is written.
        settings: fields of ``Writing`` to change.
        listener: is told about progress.

    Raises:
        UsageError: if no text is to be written.
        SampleError: if a setting does not fit the model; before the measuring, which takes long.
    """
    if n < 1:
        raise UsageError(f"{n} texts: ask for at least one, -n 200.")
    model.settings(**(settings or {}))
    listener = listener or Silent()
    corpus = corpus_of(model, data, listener)
    rows = Tokenised.of(corpus, model.codec).rows(
        corpus.held_out, model.spec.context, "packed" if model.spec.packed else "whole", model.spec.room
    )
    predicted = measure_bounds(model, corpus, rows, listener)
    lines = _bound_lines(predicted)
    values: dict[str, Any] = {"bound": {name: figure.to_dict() for name, figure in predicted.items()}}
    started = time.perf_counter()
    notes: list[str] = []
    if corpus.targets is not None and "summarize" in model.spec.tasks:
        found, more = summaries(model, corpus, n, seed, model.for_summary(**(settings or {})), listener)
        values |= found
        lines += more
    else:
        quality = assess_texts(model, corpus, n, seed, settings or {}, listener)
        values["figures"], notes = quality.to_dict(), list(quality.notes)
        lines += [
            _line(row.figure, row.samples, row.floor, row.better, row.percent) for row in quality.rows()
        ]
    if model.whole:
        filled = fill_in(model, rows)
        values["infilling"] = [figure.to_dict() for figure in filled]
        lines += _blank_lines(filled)
    if trained_on(model).get("digest") not in (None, corpus.digest):
        notes.append("These are not exactly the texts the model was trained on (another content hash).")
    values |= {
        "samples": values.get("samples", n),
        "seed": seed,
        "seconds": round(time.perf_counter() - started, 2),
        "sampling": asdict(model.settings(**(settings or {}))),
        "notes": notes,
    }
    return Evaluation(values, lines, notes)


def corpus_of(model: TextModel, data: str | Path, listener: Listener) -> Corpus:
    """The texts, split as they were for training.

    Raises:
        DataError: if the classes are not the model's, or none of the texts is held out.
    """
    made = trained_on(model)
    corpus = open_corpus(
        data,
        held_out=made.get("held_out_share", 0.1),
        options=TextOptions(**made.get("columns", {})),
        progress=lambda done, total: listener.phase("Reading texts", done, total),
    )
    if model.spec.classes and tuple(corpus.classes) != model.spec.classes:
        raise DataError(
            f"{data} has the classes {', '.join(corpus.classes[:6]) or 'none'}, the model was trained on "
            f"{', '.join(model.spec.classes[:6])}. Give the data it was trained on."
        )
    if len(corpus.held_out) == 0:
        raise DataError(
            f"{data} holds {len(corpus)} document(s), none of which could be held out to measure on. "
            "Give the data it was trained on, or more texts."
        )
    return corpus


def measure_bounds(model: TextModel, corpus: Corpus, rows: Rows, listener: Listener) -> dict[str, Figure]:
    """What ``measure_bound`` finds; of a model that reads both ways, in each of them."""
    found = measure_bound(model, corpus, rows, listener)
    if model.block and model.whole:
        found |= measure_bound(model, corpus, rows, listener, whole=True)
    return found


def measure_bound(
    model: TextModel, corpus: Corpus, rows: Rows, listener: Listener, *, whole: bool = False
) -> dict[str, Figure]:
    """The bound on held-out rows: bits for each character and byte, and the perplexity of a token.

    Of a pair, it is that of the target given its source. What counts is what a row has of text: with END
    behind it, which is predicted too, but not counted as a character. A model that writes by blocks is
    measured so, or where it can, with ``whole``, as one that sees all of a text at once.
    """
    chosen = np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS]
    looks = min(64, max(4, LOOKS // len(chosen)))
    needed = rows.stop - rows.first
    chosen = chosen[needed[chosen].argsort(kind="stable")]  # together with others of its length
    nats: list[Tensor] = []
    labels = None if corpus.labels is None else corpus.labels[corpus.held_out][rows.document]
    for first in range(0, len(chosen), BATCH):
        listener.phase("Measuring the bound", first, len(chosen))
        part = chosen[first : first + BATCH]
        x = torch.from_numpy(rows.tokens[part]).long()
        begin = x.shape[1] - rounded(int(needed[part].max()), x.shape[1])
        places, x = np.arange(begin, x.shape[1]), x[:, begin:]
        learned = (places >= rows.start[part, None]) & (places < rows.stop[part, None])
        fixed = ~torch.from_numpy(learned)
        cond = NONE
        if model.encoder is not None and labels is not None:
            cond = model.encoder(torch.from_numpy(labels[part]))
        nats.append(bound_of(model, x, fixed, looks, Noise(first), cond, whole=whole))
    total = torch.cat(nats).numpy()
    texts = [rows.tokens[i, rows.start[i] : rows.stop[i]] for i in chosen]
    characters = np.array([len(model.codec.decode(row.tolist(), stop=False)) for row in texts], np.float64)
    sizes = np.array([model.codec.lengths[row].sum() for row in texts], np.float64)
    ends = np.array([0 if rows.packed else max(0, (row == model.codec.end).sum() - 1) for row in texts])
    tokens = np.array([len(row) for row in texts], np.float64) - ends
    per_token = ratio(total, tokens)
    kind = "bound, read whole" if whole else "bound"
    return {
        f"Bits per character ({kind})": ratio(total / math.log(2), characters),
        f"Bits per byte ({kind})": ratio(total / math.log(2), sizes),
        f"Perplexity of a token ({kind})": Figure.of(
            math.exp(per_token.value or math.nan),
            None
            if per_token.low is None or per_token.high is None
            else (math.exp(per_token.low), math.exp(per_token.high)),
            per_token.n,
        ),
    }


def bound_of(
    model: TextModel,
    x: Tensor,
    fixed: Tensor,
    looks: int,
    rng: Noise,
    cond: Condition = NONE,
    *,
    whole: bool = False,
) -> Tensor:
    """The bound in nats, (B,), of tokens (B, L) given those that are ``fixed``; see ``measure_bound``."""
    if model.block and not whole:
        return block_bound(model.blockwise(x), x, model.block, looks, rng, fixed, cond)
    return token_bound(model.denoiser, x, looks, rng, fixed, cond)


def ratio(costs: NDArray[np.float64], sizes: NDArray[np.float64]) -> Figure:
    """The sum of costs over the sum of sizes, with an interval over examples (delta method)."""
    value = float(costs.sum() / sizes.sum())
    spread = average((costs - value * sizes) / sizes.mean())
    if spread.low is None or spread.high is None:
        return Figure.of(value, None, len(costs))
    half = (spread.high - spread.low) / 2
    return Figure.of(value, (value - half, value + half), len(costs))


def assess_texts(
    model: TextModel, corpus: Corpus, n: int, seed: int, settings: dict[str, Any], listener: Listener
) -> TextQuality:
    """Write texts and judge them beside real ones.

    Half of the held-out texts train the reader, the other half is the floor.
    """
    texts = model.generate(
        n, seed=seed, progress=lambda done, total: listener.phase("Writing", done, total), **settings
    )
    return judge(texts, corpus, model, listener)


def judge(
    texts: list[str], corpus: Corpus, model: TextModel, listener: Listener, *, read: bool = True
) -> TextQuality:
    """The figures of some texts beside held-out ones; without ``read``, no reader is trained for them."""
    training = [corpus.texts[i] for i in corpus.train]
    held = [corpus.texts[i] for i in corpus.held_out]
    half = len(held) // 2
    reader = reader_of(held[:half], model, listener) if read and half >= 2 else None
    verses = np.mean([quatrain_lines(text) is not None for text in training[:1000]]) >= VERSES
    rhymes = Rhymes.learn(rhyme_ends(training)) if verses else None
    listener.phase("Looking for copies", 0, 1)
    return evaluate_texts(texts, held[half:], TrainingText(training), reader, rhymes)


def reader_of(texts: list[str], model: TextModel, listener: Listener) -> Reader:
    """A reader that has learned from these texts, at least two; from the cache, where it is there."""
    return open_reader(
        texts,
        model.codec,
        progress=lambda done, total: listener.phase("Training a reader", done, total),
    )


def summaries(
    model: TextModel, corpus: Corpus, n: int, seed: int, settings: dict[str, Any], listener: Listener
) -> tuple[dict[str, Any], list[list[str]]]:
    """ROUGE of summaries of held-out texts, beside that of their first sentences, as values and lines.

    Raises:
        DataError: if all of the texts are too long for the model.
    """
    assert corpus.targets is not None
    chosen, long = list[int](), 0
    for i in corpus.held_out.tolist():
        if len(chosen) == n:
            break
        # what is too long for the model is no fair question; how many there were is told
        if len(model.codec.encode_text(corpus.texts[i])) > model.layout.longest:
            long += 1
            continue
        chosen.append(i)
    if not chosen:
        raise DataError(
            f"All {long} held-out texts have more than {model.layout.longest} tokens, all that this model "
            "summarises. Train one that sees more at once: --set data.size=512"
        )
    sources, wanted = [corpus.texts[i] for i in chosen], [corpus.targets[i] for i in chosen]
    labels = None if model.encoder is None else corpus.labels
    written = model.write(
        [model.layout.beneath(source, known=False) for source in sources],
        label=None if labels is None else [int(labels[i]) for i in chosen],
        seed=seed,
        progress=lambda d, t: listener.phase("Summarising", d, t),
        **settings,
    )
    ours = rouge_figures(written, wanted)
    lead = rouge_figures([lead_sentence(source) for source in sources], wanted)
    values = {
        "rouge": {name: figure.to_dict() for name, figure in ours.items()},
        "rouge_lead": {name: figure.to_dict() for name, figure in lead.items()},
        "samples": len(chosen),
        "too_long": long,
        "examples": [
            {"source": s, "wanted": w, "written": o}
            for s, w, o in list(zip(sources, wanted, written, strict=True))[:20]
        ],
    }
    rows = [
        _line(f"ROUGE-{name[5:]} (beside: lead sentence)", figure, lead[name], "higher")
        for name, figure in ours.items()
    ]
    return values, rows


@torch.inference_mode()
def fill_in(model: TextModel, rows: Rows, count: int = 500) -> list[Figure]:
    """How often the most likely token of each place in a blank is the true one, on held-out rows."""
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(rows))[:count]
    x = torch.from_numpy(rows.tokens[chosen]).long()
    start = np.array(
        [
            rng.integers(low, max(low, low + (row[low:] != model.codec.end).sum() - BLANK) + 1)
            for row, low in zip(rows.tokens[chosen], rows.start[chosen], strict=True)
        ]
    )
    places = torch.arange(x.shape[1])
    first = torch.from_numpy(start)[:, None]
    blank = (places >= first) & (places < first + BLANK)
    guesses = []
    for begin in range(0, len(x), BATCH):
        cut = slice(begin, begin + BATCH)
        guesses.append(model.guess(x[cut], blank[cut]))
    return accuracy_in_blank(torch.cat(guesses).numpy(), x.numpy(), blank.numpy())


def _bound_lines(predicted: dict[str, Figure]) -> list[list[str]]:
    return [
        [name, figure.cell(), "-", "lower", str(figure.n)]
        for name, figure in predicted.items()
        if figure.value is not None
    ]


def _blank_lines(filled: list[Figure]) -> list[list[str]]:
    return [
        [f"Blank of {BLANK}, token {place + 1}", figure.cell(True), "-", "higher", str(figure.n)]
        for place, figure in enumerate(filled)
    ]


def _line(name: str, figure: Figure, floor: Figure, better: str, percent: bool = False) -> list[str]:
    return [name, figure.cell(percent), floor.cell(percent), better, str(figure.n)]
