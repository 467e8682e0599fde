"""Whose texts are explained: a model of text, some texts to lose, and how tokens look on a page."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from unfog.codec.tokens import TokenCodec
from unfog.condition import NONE, Condition
from unfog.data import Corpus
from unfog.denoise.categorical import CategoricalPosterior
from unfog.errors import UsageError
from unfog.model import TextModel
from unfog.model.canvas import Canvas
from unfog.output.explained_text import END, GAP, HIDDEN, Cell
from unfog.recipes.assess import trained_on
from unfog.recipes.assess_text import corpus_of
from unfog.recipes.language_rows import Tokenised
from unfog.recipes.listen import Listener
from unfog.rng import derive_seed

ASKED, ASKED_BY_BLOCK = 64, 16  # texts whose losses are measured; block by block each costs many calls
COUNTED = 4000  # training texts whose tokens are counted
LEAST = 8  # tokens that a text should have to be shown


@dataclass(frozen=True, eq=False)
class TextSubject:
    """A model and texts to explain it with.

    Attributes:
        model: of text.
        x: clean tokens, (N, L); the first is the one that is shown.
        free: which of them can be lost, (N, L), bool.
        start: where the text that is shown begins on its canvas.
        labels: class numbers (N,), or None.
        canvas: what is written on: all open, or beneath the source of a summary.
        given: that source, as text.
        origin: "drawn" or "held_out".
        source: name of the data.
        other: whether the model learned from other texts than those.
        counts: how often each token occurs in training texts, (K,); None without data.
    """

    model: TextModel
    x: Tensor
    free: Tensor
    start: int
    labels: list[int] | None
    canvas: Canvas
    given: str = ""
    origin: str = "drawn"
    source: str = ""
    other: bool = False
    counts: Tensor | None = None

    @property
    def label(self) -> int | None:
        """The class of the text that is shown."""
        return None if self.labels is None else self.labels[0]

    @property
    def own(self) -> list[int] | None:
        """The same as a list, for a batch of one."""
        return None if self.labels is None else self.labels[:1]

    def cond(self, labels: Sequence[int] | None) -> Condition:
        """The condition of some classes."""
        encoder = self.model.encoder
        if encoder is None or labels is None:
            return NONE
        condition: Condition = encoder(torch.tensor(list(labels)).to(self.model.device))
        return condition

    def ask(self, x_t: Tensor, t: Tensor, labels: Sequence[int] | None = None) -> CategoricalPosterior:
        """What the model says of tokens (B, L) at time t."""
        posterior: CategoricalPosterior = self.model.denoiser(x_t.to(self.model.device), t, self.cond(labels))
        return posterior


def open_text(model: TextModel, data: str | None, seed: int, listener: Listener) -> TextSubject:
    """Held-out texts of the data, or some that the model writes.

    Raises:
        UsageError: if a model that summarises is given nothing to summarise.
    """
    count = ASKED_BY_BLOCK if model.block else ASKED
    if data is not None:
        return _held_out(model, data, count, seed, listener)
    if model.spec.room:
        raise UsageError(
            "This model says in short what other texts say: give it some. Add --data with what it learned."
        )
    canvas = model.layout.beginning()
    labels = model.choose_labels(count)
    x = model.written(
        [canvas] * count,
        label=labels,
        seed=derive_seed(seed, "shown"),
        progress=lambda done, total: listener.phase("Writing", done, total),
    )
    free = (~canvas.given(model.codec.mask)).expand_as(x)
    return _long_first(TextSubject(model, x, free, canvas.start, labels, canvas))


def _held_out(model: TextModel, data: str, count: int, seed: int, listener: Listener) -> TextSubject:
    corpus = corpus_of(model, data, listener)
    how = "packed" if model.spec.packed else "whole"
    # a few more than needed, as a text may fill several rows
    few = np.random.default_rng(seed).permutation(corpus.held_out)[: 2 * count]
    targets = None if corpus.targets is None else [corpus.targets[i] for i in few]
    tokenised = Tokenised(
        model.codec,
        model.codec.encode_many([corpus.texts[i] for i in few]),
        None if targets is None else model.codec.encode_many(targets),
    )
    rows = tokenised.rows(np.arange(len(few)), model.spec.context, how, model.spec.room)
    x = torch.from_numpy(rows.tokens[:count]).long()
    places = np.arange(x.shape[1])
    free = torch.from_numpy((places >= rows.start[:count, None]) & (places < rows.stop[:count, None]))
    labels = None
    if model.encoder is not None and corpus.labels is not None:
        labels = [int(corpus.labels[few[i]]) for i in rows.document[:count]]
    canvas, given, start = model.layout.beginning(), "", int(rows.start[0])
    if model.spec.room:
        canvas = Canvas(torch.where(free[0], model.codec.mask, x[0]), start)
        given = model.codec.decode(x[0, rows.first[0] : start - 1])
    subject = TextSubject(
        model,
        x,
        free,
        start,
        labels,
        canvas,
        given,
        "held_out",
        Path(data).name,
        trained_on(model).get("digest") not in (None, corpus.digest),
        _counted(corpus, model.codec),
    )
    return subject if model.spec.room else _long_first(subject)


def _long_first(subject: TextSubject) -> TextSubject:
    """The same with a text in front that has something to show."""
    sizes = (subject.free & (subject.x != subject.model.codec.end)).sum(1)
    if int(sizes[0]) >= LEAST:
        return subject
    best = int((sizes >= LEAST).int().argmax()) if bool((sizes >= LEAST).any()) else int(sizes.argmax())
    order = [best, *(i for i in range(len(sizes)) if i != best)]
    labels = None if subject.labels is None else [subject.labels[i] for i in order]
    return replace(subject, x=subject.x[order], free=subject.free[order], labels=labels)


def _counted(corpus: Corpus, codec: TokenCodec) -> Tensor:
    """How often each token is learned, END counted once a text, half added so that none is impossible."""
    texts = corpus.texts if corpus.targets is None else corpus.targets
    rows = codec.encode_many([texts[i] for i in corpus.train[:COUNTED]])
    found = np.bincount(np.concatenate([*rows, [codec.end] * len(rows)]), minlength=codec.vocabulary)
    return torch.from_numpy(found).double() + 0.5


def cells_of(
    codec: TokenCodec,
    tokens: Tensor,
    *,
    new: Tensor | None = None,
    sure: Tensor | None = None,
    truth: Tensor | None = None,
    asked: int | None = None,
) -> list[Cell]:
    """Tokens (L,) as they are shown; END after the text once only.

    Args:
        codec: of the model.
        tokens: MASK where hidden.
        new: which were just written, (L,), bool.
        sure: how sure the model was of each, (L,).
        truth: the clean tokens, to mark those that were exchanged.
        asked: the place that the model is asked about.
    """
    found: list[Cell] = []
    bytes_of = _Letters(found)
    for place, token in enumerate(tokens.tolist()):
        kind, certain = "kept", None
        if new is not None and bool(new[place]):
            kind, certain = "new", None if sure is None else float(sure[place])
        elif truth is not None and token != int(truth[place]) and token != codec.mask:
            kind = "lost"
        if place == asked:
            bytes_of.close(Cell("?", "asked"))
        elif token == codec.mask:
            bytes_of.close(Cell(HIDDEN, "hidden"))
        elif token in (codec.end, codec.gap):
            shown = END if token == codec.end else GAP
            bytes_of.close(Cell(shown, "end" if kind == "kept" else kind, certain))
        else:
            bytes_of.add(codec.words.pieces[token], kind, certain)
    bytes_of.close()
    return _closed(found)


def _closed(cells: list[Cell]) -> list[Cell]:
    """Without the END that fill a canvas up behind the first of them."""
    last = len(cells)
    while last > 1 and all(cell.text == END for cell in cells[last - 2 : last]):
        last -= 1
    return cells[:last]


class _Letters:
    """Puts bytes together to letters, which may need several tokens; each is shown at its last one."""

    def __init__(self, found: list[Cell]) -> None:
        self.found = found
        self.last: tuple[str, float | None] = ("kept", None)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, piece: bytes, kind: str, sure: float | None) -> None:
        """One more token of text."""
        self.last = (kind, sure)
        self.found.append(Cell(self.decoder.decode(piece), kind, sure))

    def close(self, cell: Cell | None = None) -> None:
        """Finish what was begun, and put something else behind it."""
        if left := self.decoder.decode(b"", final=True):
            self.found.append(Cell(left, *self.last))
        self.decoder.reset()
        if cell is not None:
            self.found.append(cell)
