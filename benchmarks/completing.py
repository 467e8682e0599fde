"""How well does a model of text go on from a beginning, in each order?

    python benchmarks/completing.py MODEL DATA --rival FILE [-n 60] [--words 6] [--temperature 0.8]
                                    [--orders reading,ancestral] [--show 6] [--out FILE.json]

MODEL was trained on DATA, FILE is what `language.py --keep` wrote of the same data. The first words of n
held-out texts, in an order that hangs on the seed alone, are continued; the rival says how likely what
follows is, in bits for each byte of the first 64 tokens, and what really followed stands beside. Dull text is
likely too, so different words are counted, and words that follow themselves. Each flatters its own texts;
so a model that writes by blocks judges as well, token after token, what the rival and it wrote.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import describe, facts, write_json
from rival import Rival

from unfog.data import open_corpus
from unfog.evaluate.figure import Figure
from unfog.model import load_text
from unfog.model.text import TextModel

JUDGED = 64  # tokens behind a beginning
DRAWS = 2000  # of the texts, for intervals


@dataclass(frozen=True)
class Judge:
    """Beginnings, and how likely the rival, and a model with blocks, find what follows them."""

    rival: Rival
    model: TextModel
    prompts: Sequence[str]

    def figures(self, texts: Sequence[str]) -> dict[str, Any]:
        """Of texts that begin with the prompts, one each."""
        codec, length = self.rival.codec, self.rival.setup.context
        rows = torch.full((len(texts), length + 1), codec.end)
        counts, sizes = torch.zeros(len(texts), length), np.zeros(len(texts))
        follow = []
        for i, (text, prompt) in enumerate(zip(texts, self.prompts, strict=True)):
            start = len(codec.encode_text(prompt))
            tokens = codec.encode_text(text)[: start + JUDGED]
            rows[i, 1 : 1 + len(tokens)] = torch.as_tensor(tokens)
            counts[i, start : len(tokens)] = 1
            sizes[i] = sum(len(codec.decode([int(token)]).encode()) for token in tokens[start:])
            follow.append(codec.decode(tokens[start:]).split())
        bits = self.rival.nats_of_rows(rows, counts) / np.log(2)
        words = [word for row in follow for word in row]
        found: dict[str, Any] = {"bits": spread(bits, sizes)}
        if self.model.block and length <= self.model.spec.context:
            own = (nats_as_read(self.model, rows[:, :length]) * counts.roll(1, 1)).sum(1).numpy()
            found["own"] = spread(own / np.log(2), sizes)
        return found | {
            "words": len(words),
            "twice": sum(a == b for row in follow for a, b in pairwise(row)),
            "different": len(set(words)) / max(1, len(words)),
        }


@torch.inference_mode()
def nats_as_read(model: TextModel, rows: torch.Tensor) -> torch.Tensor:
    """-log p of each token of rows (B, L) given those before it, by a model with blocks."""
    place, found = torch.arange(rows.shape[1]) % model.block, torch.zeros(rows.shape)
    for offset in range(model.block):
        shown = rows.masked_fill(place >= offset, model.codec.mask)
        posterior = model.blockwise(rows)(shown, torch.ones((), dtype=torch.float64))
        lost = -posterior.rows.gather(1, rows[posterior.open][:, None])[:, 0]
        each = torch.zeros(rows.shape).masked_scatter(posterior.open, lost)
        found = torch.where(place == offset, each, found)
    return found


def spread(bits: np.ndarray, sizes: np.ndarray) -> Figure:
    """Bits for each byte of all texts together, by drawing the texts again and again."""
    lots = np.random.default_rng(0).integers(0, len(bits), (DRAWS, len(bits)))
    drawn = bits[lots].sum(1) / sizes[lots].sum(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure.of(float(bits.sum() / sizes.sum()), (float(low), float(high)), len(bits))


def beginnings(held: Sequence[str], model: TextModel, rival: Rival, words: int, n: int) -> list[str]:
    """Texts with something to go on with, that both can see whole."""
    context = min(model.spec.context, rival.setup.context) - 2
    fits = [text for text in held if len(text.split()) > 2 * words]
    return [text for text in fits if len(model.codec.encode_text(text)) <= context][:n]


def main() -> None:
    """Read the command line, continue, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data")
    parser.add_argument("--rival", type=Path, required=True)
    parser.add_argument("-n", type=int, default=60)
    parser.add_argument("--words", type=int, default=6)
    parser.add_argument("--orders", default="reading,ancestral")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--no-repeat", type=int, default=0)
    parser.add_argument("--show", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file with everything")
    options = parser.parse_args()
    machine = facts(["torch", "unfog"])
    print(describe(machine), flush=True)
    model, rival, corpus = load_text(options.model), Rival.load(options.rival), open_corpus(options.data)
    held = [corpus.texts[i] for i in np.random.default_rng(options.seed).permutation(corpus.held_out)]
    real = beginnings(held, model, rival, options.words, options.n)
    prompts = [" ".join(text.split()[: options.words]) for text in real]
    joined = [" ".join(text.split()) for text in real]
    judge, canvases = Judge(rival, model, prompts), [model.layout.beginning(prompt) for prompt in prompts]
    written: dict[str, list[str]] = {"what really followed": joined}
    seconds = {"what really followed": 0.0}
    common = {"temperature": options.temperature, "no_repeat": options.no_repeat}
    for name in options.orders.split(","):
        begin = time.perf_counter()
        texts = model.write(canvases, seed=options.seed, sampler=name, steps=model.spec.context, **common)
        seconds[name], written[name] = time.perf_counter() - begin, texts
    begin = time.perf_counter()
    own = []
    for i, prompt in enumerate(prompts):
        tokens = rival.codec.encode_text(prompt)
        row = rival.write(1, prompt=tokens, temperature=options.temperature, seed=options.seed + i)[0]
        own.append(rival.codec.decode([*tokens, *row.tolist()]))
    seconds["rival"], written["rival"] = time.perf_counter() - begin, own
    print(f"\n{len(prompts)} beginnings of {options.words} words, temperature {options.temperature:g}\n")
    print("| | bits a byte | by the model | words | follow themselves | different | s each |")
    print("|---|---|---|---|---|---|---|")
    found: dict[str, Any] = {}
    for name, texts in written.items():
        found[name] = figures = judge.figures(texts)
        judged = f"{figures['bits']} | {figures.get('own', '')}"
        cells = f"{figures['words']} | {figures['twice']} | {figures['different']:.0%}"
        print(f"| {name} | {judged} | {cells} | {seconds[name] / len(prompts):.2f} |", flush=True)
    for number in range(min(options.show, len(prompts))):
        print(f"\n{number + 1}. {prompts[number]} ...")
        for name, texts in written.items():
            print(f"   - {name}: {' '.join(texts[number].split())}")
    if options.out:
        figures = {
            name: {key: value.to_dict() if isinstance(value, Figure) else value for key, value in one.items()}
            for name, one in found.items()
        }
        write_json(options.out, {"machine": machine, "figures": figures, "texts": written})


if __name__ == "__main__":
    main()
