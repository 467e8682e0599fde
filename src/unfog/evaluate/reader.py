"""An independent reader: a small autoregressive network that says how surprising a text is.

It reads from left to right and bets on every next token, so that its bits are exact and not a bound. It
learns from real texts that the judged model has not seen; then a model that recites its training texts
gains nothing. It is small and has read little: its bits rank texts of one kind, and say nothing without the
same figure of real held-out texts, and without the entropies (``text.py``) of what was judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from unfog.codec.tokens import TokenCodec
from unfog.errors import DataError
from unfog.evaluate.figure import Figure, average
from unfog.nets.text import TextTransformer, TextTransformerConfig

ASIDE = 20  # one in so many texts is kept to choose the best weights with
CHECKS = 8
ROUNDS = 50  # times that a reader reads its texts, if they are so few that this is less than ``steps``
FEWEST = 50

Stream = tuple[Tensor, Tensor]
"""All tokens of some texts, each led and closed by END, (n,); and where each text begins and ends, (N, 2)."""


@dataclass(frozen=True)
class ReaderConfig:
    """Size of a reader, and how long it learns.

    Attributes:
        width: of the network.
        depth: layers.
        context: tokens it looks at.
        batch: windows in a step.
        steps: of training, at most.
        learning_rate: at its height.
    """

    width: int = 128
    depth: int = 3
    context: int = 128
    batch: int = 24
    steps: int = 800
    learning_rate: float = 3e-3


@dataclass(frozen=True, eq=False)
class Reader:
    """A trained reader.

    Attributes:
        network: causal, in evaluation mode.
        codec: its tokens.
        config: its size.
        learned_from: texts that its weights were fitted to.
    """

    network: TextTransformer
    codec: TokenCodec
    config: ReaderConfig
    learned_from: int

    def describe(self) -> str:
        """What this judge is, in one sentence."""
        size = sum(weight.numel() for weight in self.network.parameters())
        return (
            f"a small autoregressive reader ({size / 1e6:.1f} million weights, {self.codec.kind} tokens), "
            f"trained on {self.learned_from:,} other texts"
        )

    @torch.inference_mode()
    def nats(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """How surprising each text is, its end included, in nats, (N,).

        Texts longer than the context are read in windows that overlap by half; every token counts once, with
        at least half a context (or all there is) before it.
        """
        stream, spans = read_together(texts, self.codec)
        context, half = self.config.context, max(1, self.config.context // 2)
        windows: list[tuple[int, int, int, int]] = []  # text, first and last token shown, first that counts
        for text, (begin, end) in enumerate(spans.tolist()):
            start, counted = begin, begin
            while counted < end - 1:
                stop = min(start + context, end - 1)
                windows.append((text, start, stop, counted))
                start, counted = stop - half, stop
        found = np.zeros(len(texts))
        windows.sort(key=lambda window: window[2] - window[1])
        for place in range(0, len(windows), self.config.batch):
            part = windows[place : place + self.config.batch]
            longest = max(stop - start for _, start, stop, _ in part)
            rows = torch.full((len(part), longest + 1), self.codec.end)
            count = torch.zeros(len(part), longest, dtype=torch.bool)
            for row, (_, start, stop, counted) in enumerate(part):
                rows[row, : stop - start + 1] = stream[start : stop + 1]
                count[row, counted - start : stop - start] = True
            costs = self._costs(rows).double() * count
            np.add.at(found, [window[0] for window in part], costs.sum(1).numpy())
        return found

    def _costs(self, rows: Tensor) -> Tensor:
        rows = rows.to(self.network.stem.weight.device)
        logits = self.network(rows[:, :-1])
        return F.cross_entropy(logits.transpose(1, 2), rows[:, 1:], reduction="none").cpu()

    def bits_per_character(self, texts: Sequence[str]) -> Figure:
        """Bits of all texts, ends included, over their characters; the interval is over texts."""
        lengths = np.array([len(text) for text in texts], np.float64)
        if not lengths.sum():
            return Figure.missing("there are no texts, or only empty ones", len(texts))
        bits = self.nats(texts) / math.log(2)
        ratio = float(bits.sum() / lengths.sum())
        # the ratio of two means varies as the mean of what is left of its numerator (delta method)
        spread = average((bits - ratio * lengths) / lengths.mean())
        if spread.low is None or spread.high is None:
            return Figure.of(ratio, None, len(texts))
        half = (spread.high - spread.low) / 2
        return Figure.of(ratio, (ratio - half, ratio + half), len(texts))


def train_reader(
    texts: Sequence[str],
    codec: TokenCodec,
    config: ReaderConfig | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Reader:
    """Train a reader, keeping the weights that were best on one text in twenty.

    Args:
        texts: real texts that the judged model does not learn from.
        codec: how to cut them into tokens; samples are cut by it as well, whatever tokens their model has.
        config: size and length of training.
        seed: of everything random.
        progress: called with (done, total) steps.

    Raises:
        DataError: fewer than two texts.
    """
    if len(texts) < 2:
        raise DataError(f"A reader needs at least two texts to learn from; there are {len(texts)}.")
    config = config or ReaderConfig()
    order = np.random.default_rng(seed).permutation(len(texts))
    aside = max(1, min(len(texts) // ASIDE, 400))
    fit = read_together([texts[i] for i in order[aside:]], codec)
    kept = [texts[i] for i in order[:aside]]
    shown = config.batch * min(config.context, len(fit[0]) // len(fit[1]))  # tokens of a step
    enough = max(FEWEST, ROUNDS * len(fit[0]) // shown)
    config = replace(config, steps=min(config.steps, enough))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TextTransformer(
            TextTransformerConfig(
                vocabulary=codec.vocabulary, width=config.width, depth=config.depth, causal=True, dropout=0.1
            )
        )
        reader = Reader(network, codec, config, len(texts) - aside)
        _fit(reader, fit, kept, torch.Generator().manual_seed(seed), progress)
    network.eval().requires_grad_(False)
    return reader


def _fit(
    reader: Reader,
    fit: Stream,
    aside: Sequence[str],
    rng: torch.Generator,
    progress: Callable[[int, int], None] | None,
) -> None:
    network, config = reader.network, reader.config
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, betas=(0.9, 0.95), weight_decay=0.05, fused=True
    )
    warmup = max(0.1, 2 / config.steps)  # one step at least, or it divides by zero
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=config.steps, pct_start=min(1.0, warmup)
    )
    best, weights = math.inf, dict[str, Tensor]()
    every = max(1, config.steps // CHECKS)
    for step in range(1, config.steps + 1):
        network.train()
        shown, wanted = windows(fit, config.context, config.batch, rng)
        loss = F.cross_entropy(network.logits_of(network.hidden(shown)[wanted >= 0]), wanted[wanted >= 0])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        rates.step()
        if progress:
            progress(step, config.steps)
        # never stopped early: the rate falls to the very end, and the best weights mostly come with it
        if step % every == 0 or step == config.steps:
            network.eval()
            found = float(reader.nats(aside).sum())
            if found < best:
                best = found
                weights = {key: value.clone() for key, value in network.state_dict().items()}
    network.load_state_dict(weights)


def read_together(texts: Sequence[str], codec: TokenCodec) -> Stream:
    """Texts as one row of tokens; see ``Stream``. Neighbours do not share their END."""
    rows = codec.encode_many(texts)
    closed = [np.concatenate([[codec.end], row, [codec.end]]) for row in rows]
    ends = np.cumsum([len(row) for row in closed], dtype=np.int64)
    begins = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    tokens = np.concatenate([np.empty(0, np.int64), *closed]).astype(np.int64)
    return torch.from_numpy(tokens), torch.from_numpy(np.stack([begins, ends], 1))


def windows(stream: Stream, context: int, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random windows to learn from, never more than one text in each.

    A text is drawn by its length. One that fits is shown whole; of a longer one some part, its beginning more
    often than others.

    Returns:
        The tokens shown, (count, at most context), and those to be guessed from each and all before it, one
        further on, -1 where the text is over.
    """
    tokens, spans = stream
    middle = torch.randint(0, len(tokens), (count,), generator=rng)
    begin, stop = spans[torch.searchsorted(spans[:, 1].contiguous(), middle, right=True)].unbind(1)
    start = torch.minimum(middle - context // 2, stop - context - 1).maximum(begin)
    places = start[:, None] + torch.arange(context + 1)
    places = places[:, : int((stop - start).max())]  # no column in which every text is over
    rows = tokens[places.clamp_max(len(tokens) - 1)]
    return rows[:, :-1], rows[:, 1:].masked_fill(places[:, 1:] >= stop[:, None], -1)
