"""The training step of text: rows and tokens per second, and the share of this machine's own matrix rate.

    python benchmarks/language_training.py [--rounds 5] [--threads 1] [--precision bf16]

Each case is the trainer itself on the rows of a named set, with the settings of the language recipe. All run
interleaved in one process, and every share is taken inside one round, against a 2048 x 2048 fp32 `torch.mm`
measured in that round. Floating point operations are those of the network, forward and backward, by torch's
own counter. Of pairs, 1 version of each summary is compared with the 4 that are learned by default. Peak
memory is measured in a fresh process, which runs this file again. First: `unfog data get` all three sets.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from machine import count_flops, describe, facts, interleave, matmul_work, median_seconds, peak_memory_mb

from unfog import config as configs
from unfog.recipes.language import LanguageConfig, prepare, settled
from unfog.recipes.listen import Silent
from unfog.train import Training, TrainStep

ENDLESS = 1_000_000  # steps of a run that is only measured and never finished
YARDSTICK, REPEATED = "torch.mm 2048", 8  # products in a timed block
# title -> settings of the recipe
CASES: dict[str, dict[str, Any]] = {
    "quatrains": {"data": {"source": "quatrains"}},
    "descriptions": {"data": {"source": "descriptions"}},
    "synopses, 1 version": {"data": {"source": "synopses"}, "train": {"copies": 1, "batch": 32}},
    "synopses, 4 versions": {"data": {"source": "synopses"}, "train": {"batch": 32}},
}


class Case:
    """A model and its trainer."""

    def __init__(self, values: dict[str, Any], precision: str) -> None:
        train = {"steps": ENDLESS, "precision": precision, **values.get("train", {})}
        config = configs.parse(LanguageConfig, {**values, "train": train}, "benchmark")
        texts = prepare(config, Silent())
        self.config = settled(config, texts).train
        self.model, self.data, self.batch = (
            texts.model,
            texts.batches(settled(config, texts)),
            self.config.batch,
        )
        plain = self.config.model_copy(update={"optimiser": "adamw", "steps": 1})
        self.flops = count_flops(lambda: next(Training(copy.deepcopy(self.model), self.data, plain).fit()))
        self._steps: Iterator[TrainStep] = Training(self.model, self.data, self.config).fit()

    def step(self) -> None:
        """One step of the run, the optimiser's included."""
        next(self._steps)


def row(title: str, case: Case, mine: list[Any], yard: list[Any], yard_flops: float) -> str:
    """A line of the table."""
    seconds = median_seconds(mine)
    shares = [case.flops / a.seconds / (yard_flops / b.seconds) for a, b in zip(mine, yard, strict=True)]
    cells = (
        title,
        f"{case.batch} x {case.model.spec.context}",
        f"{case.batch / seconds:.1f}",
        f"{case.batch * case.model.spec.context / seconds:,.0f}",
        f"{case.flops / seconds / 1e9:.0f}",
        f"{statistics.median(shares):.0%} ({min(shares):.0%}..{max(shares):.0%})",
    )
    return "| " + " | ".join(cells) + " |"


def memory(title: str, precision: str) -> str:
    """Peak memory of a fresh process that takes ten steps, in words."""
    command = [sys.executable, __file__, "--memory", title, "--precision", precision]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.splitlines()[-1].split())
    return (
        f"{title}: peak memory {after:.0f} MB, of which {before:.0f} MB are the texts, tokens and libraries"
    )


def _measure_memory(title: str, precision: str) -> None:
    case = Case(CASES[title], precision)
    del case._steps
    before = peak_memory_mb()
    for _, _step in zip(range(10), Training(case.model, case.data, case.config).fit(), strict=False):
        pass
    print(before, peak_memory_mb())


def main() -> None:
    """Read the command line, measure, print."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own choice)")
    parser.add_argument("--precision", default="no", help="no (float32) or bf16")
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.memory:
        _measure_memory(options.memory, options.precision)
        return
    print(describe(facts(["unfog"])), f"{torch.get_num_threads()} threads", sep=", ", flush=True)
    cases = {title: Case(values, options.precision) for title, values in CASES.items()}
    multiply, flops = matmul_work()
    works = {YARDSTICK: lambda: [multiply() for _ in range(REPEATED)]}
    works |= {title: case.step for title, case in cases.items()}
    blocks = interleave(works, options.rounds)
    yard = blocks[YARDSTICK]
    print(f"{YARDSTICK} fp32: {REPEATED * flops / median_seconds(yard) / 1e9:.0f} GFLOP/s\n")
    print("| texts | rows x tokens | rows/s | tokens/s | GFLOP/s | share of torch.mm |")
    print("|---|---|---|---|---|---|")
    for title, case in cases.items():
        print(row(title, case, blocks[title], yard, REPEATED * flops))
    print("\n".join(["", *(memory(title, options.precision) for title in CASES)]))


if __name__ == "__main__":
    main()
