"""Whose summaries are better? Diffusion, the rival and the lead sentence on the same held-out texts.

    python benchmarks/summaries.py MODEL DATA [--rival FILE] [-n 200] [--show 20] [--seed 0] [--out FILE.json]

MODEL was trained on pairs of a text and its summary, FILE is what `language.py --keep` wrote. The texts are
the first n held-out ones, in an order that hangs on the seed alone, that are not too long for either.
Printed are ROUGE-1/2/L with their 95 % intervals, seconds for each summary, and the first few side by side.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe, facts, write_json
from rival import Rival

from unfog.data import open_corpus
from unfog.evaluate.rouge import lead_sentence, rouge_figures
from unfog.model import load_text

SHOWN = 240  # characters of a source that are printed


def main() -> None:
    """Read the command line, summarise, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data")
    parser.add_argument("--rival", type=Path)
    parser.add_argument("-n", type=int, default=200)
    parser.add_argument("--show", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file with everything")
    options = parser.parse_args()
    machine = facts(["torch", "unfog"])
    print(describe(machine), flush=True)
    model, corpus = load_text(options.model), open_corpus(options.data)
    rival = None if options.rival is None else Rival.load(options.rival)
    assert corpus.targets is not None
    longest = max(len(row) for row in model.codec.encode_many(corpus.targets)) + 1
    room = (
        model.layout.longest
        if rival is None
        else min(model.layout.longest, rival.setup.context - longest - 2)
    )
    order = np.random.default_rng(options.seed).permutation(corpus.held_out).tolist()
    chosen = [i for i in order if len(model.codec.encode_text(corpus.texts[i])) <= room][: options.n]
    texts, wanted = [corpus.texts[i] for i in chosen], [corpus.targets[i] for i in chosen]
    written: dict[str, list[str]] = {"lead sentence": [lead_sentence(text) for text in texts]}
    seconds = {"lead sentence": 0.0}
    if rival is not None:
        begin = time.perf_counter()
        written["rival"] = [rival.summarise(text, longest) for text in texts]
        seconds["rival"] = time.perf_counter() - begin
    begin = time.perf_counter()
    canvases = [model.layout.beneath(text, known=False) for text in texts]
    written["unfog"] = model.write(canvases, seed=0, **model.for_summary())
    seconds["unfog"] = time.perf_counter() - begin
    scores: dict[str, Any] = {}
    print(
        f"\n{len(texts)} held-out texts\n\n| | ROUGE-1 | ROUGE-2 | ROUGE-L | s each |\n|---|---|---|---|---|"
    )
    for who, summaries in written.items():
        figures = rouge_figures(summaries, wanted)
        scores[who] = {name: figure.to_dict() for name, figure in figures.items()}
        cells = " | ".join(str(figure) for figure in figures.values())
        print(f"| {who} | {cells} | {seconds[who] / len(texts):.2f} |", flush=True)
    for number in range(min(options.show, len(texts))):
        print(f"\n{number + 1}. {' '.join(texts[number].split())[:SHOWN]}\n")
        for who, summaries in written.items():
            print(f"   - {who}: {summaries[number]}")
        print(f"   - reference: {wanted[number]}")
    if options.out:
        shown = [dict(zip(written, row, strict=True)) for row in zip(*written.values(), strict=True)]
        write_json(options.out, {"machine": machine, "rouge": scores, "summaries": shown, "wanted": wanted})


if __name__ == "__main__":
    main()
