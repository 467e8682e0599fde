"""How fast does a model of text write in each order, and how well, beside its autoregressive rival?

    python benchmarks/writing.py MODEL DATA [--rival FILE] [-n 200] [--steps 4,8,16,32] [--orders reading,...]

DATA is what the model learned from, FILE what `benchmarks/language.py --keep` wrote. Each order writes the
same number of texts; a reader that has met neither model nor training texts says how likely they are, and
because dull text is easy to foresee, the entropies of words and of runs of four stand beside it, and those of
held-out texts below. Tokens per second count END, and nothing behind it; network calls are counted where they
happen.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from machine import describe, facts, write_json
from rival import Rival
from torch import Tensor

from unfog.evaluate.copied import TrainingText
from unfog.evaluate.reader import Reader
from unfog.evaluate.reader_cache import open_reader
from unfog.evaluate.text import evaluate_texts
from unfog.evaluate.verse import Rhymes, rhyme_ends
from unfog.model import load_text
from unfog.model.text import TextModel
from unfog.recipes.assess_text import corpus_of
from unfog.recipes.listen import Silent
from unfog.sample import TOKEN_SAMPLERS

SECONDS = 4.0  # of timing at each batch size
THRESHOLDS = (0.9, 0.7, 0.5)
ENOUGH_RHYMES = 1000  # quatrains among the training documents from which form and rhyme are looked at
SHOWN = ("reader_bits", "entropy1", "entropy4", "form", "rhyme")

Write = Callable[[int, int], Tensor]
"""(texts, seed) to tokens (texts, L)."""


@dataclass
class Judge:
    """What texts are compared with."""

    reader: Reader
    held: Sequence[str]
    training: TrainingText
    rhymes: Rhymes | None

    @classmethod
    def of(cls, model: TextModel, data: str) -> Judge:
        """Half of the held-out texts train the reader, the other half is what it is shown."""
        corpus = corpus_of(model, data, Silent())
        train, held = ([corpus.texts[i] for i in part] for part in (corpus.train, corpus.held_out))
        half, pairs = len(held) // 2, rhyme_ends(train)
        rhymes = Rhymes.learn(pairs) if len(pairs) >= ENOUGH_RHYMES else None
        return cls(open_reader(held[:half], model.codec), held[half:], TrainingText(train), rhymes)

    def figures(self, texts: Sequence[str]) -> tuple[dict[str, float], dict[str, float]]:
        """The figures of texts, and of as many held-out ones."""
        found = evaluate_texts(texts, self.held[: len(texts)], self.training, self.reader, self.rhymes)
        here, real = ({k: f.value or 0.0 for k, f in each.items()} for each in (found.samples, found.floor))
        return here, real


def orders(model: TextModel, steps: Sequence[int], names: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """Every one of these samplers that the model can use, with every number of steps."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name in names:
        settings: list[dict[str, Any]] = [{"steps": count} for count in steps]
        if name == "threshold":  # takes as many steps as it needs
            settings = [{"steps": model.spec.context, "tau": tau} for tau in THRESHOLDS]
        for chosen in settings:
            try:
                model.settings(sampler=name, **chosen)
            except Exception:  # a sampler of another process, or one that wants more steps
                continue
            tail = f"tau {chosen['tau']}" if "tau" in chosen else f"{chosen['steps']} steps"
            found.append((f"{name}, {tail}", {"sampler": name, **chosen}))
    return found


def tokens_in(rows: Tensor, end: int) -> int:
    """Tokens up to the first END of each row, which counts."""
    ends = (rows == end).int()
    return int((ends.cumsum(1) - ends == 0).sum())


def speed(write: Write, batch: int, end: int) -> float:
    """Tokens per second, after one call to warm up."""
    write(batch, 0)
    written, seed, begin = 0, 1, time.perf_counter()
    while (seconds := time.perf_counter() - begin) < SECONDS or seed == 1:
        written += tokens_in(write(batch, seed), end)
        seed += 1
    return written / seconds


def measure(
    name: str, write: Write, count: int, model: TextModel, judge: Judge, calls: list[int]
) -> dict[str, Any]:
    """One line of the table."""
    end = model.codec.end
    calls[0] = 0
    alone = [write(1, seed) for seed in range(4)]
    per_token = calls[0] / max(1, sum(tokens_in(rows, end) for rows in alone))
    rows = write(count, 0)
    here, _ = judge.figures(model.codec.decode_many(rows))
    rates = {f"tokens/s at batch {batch}": speed(write, batch, end) for batch in (1, 16)}
    return {"order": name, "calls per token": per_token, **rates, **{k: here[k] for k in SHOWN if k in here}}


def writers(
    model: TextModel, rival: Rival | None, steps: Sequence[int], names: Sequence[str]
) -> list[tuple[str, Write]]:
    """All contestants."""
    canvas, found = model.layout.beginning(), []
    for name, settings in orders(model, steps, names):

        def ours(count: int, seed: int, settings: dict[str, Any] = settings) -> Tensor:
            return model.written([canvas] * count, seed=seed, **settings)[:, canvas.start :]

        found.append((name, ours))
    if rival is not None:
        length = model.spec.context - 1
        found.append(("rival", lambda count, seed: rival.write(count, length, seed=seed)))
    return found


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as Markdown."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        cells = (row.get(name, "") for name in names)
        shown = (
            cell if isinstance(cell, str) else f"{cell:,.0f}" if cell > 50 else f"{cell:.3f}"
            for cell in cells
        )
        lines.append("| " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data")
    parser.add_argument("--rival", type=Path, help="file of benchmarks/language.py --keep")
    parser.add_argument("--steps", default="4,8,16,32", help="to try, for each order")
    parser.add_argument("--orders", default=",".join(TOKEN_SAMPLERS), help="to try")
    parser.add_argument("-n", type=int, default=200, help="texts to judge")
    parser.add_argument("--out", type=Path, help="JSON file with everything")
    options = parser.parse_args()
    print(describe(facts(["unfog"])), f"{torch.get_num_threads()} threads", sep=", ", flush=True)
    model = load_text(options.model)
    rival = Rival.load(options.rival) if options.rival else None
    judge, calls = Judge.of(model, options.data), [0]
    for network in [model.denoiser.network, *([rival.network] if rival else [])]:
        network.blocks[0].register_forward_hook(lambda *_: calls.__setitem__(0, calls[0] + 1))
    rows = []
    steps, names = [int(each) for each in options.steps.split(",")], options.orders.split(",")
    for name, write in writers(model, rival, steps, names):
        rows.append(measure(name, write, options.n, model, judge, calls))
        print(rows[-1], flush=True)
    real = judge.figures(judge.held[: options.n])[1]
    rows.append({"order": "held-out texts", **{k: real[k] for k in SHOWN if k in real}})
    print("\n" + table(rows))
    if options.out:
        write_json(options.out, {"machine": facts(["unfog"]), "rows": rows})


if __name__ == "__main__":
    main()
