"""From words to a picture: how long does it take, and what does reading cost while a model learns?

    python benchmarks/prompting.py [MODEL] [--rounds 5] [--size 64] [--set train.batch=64] [--codec FOLDER]

MODEL is a text-to-image model, `emoji` when left out. A first call is a new process of `unfog sample`, from
its start to the written file; a warm one stands in a process that drew before, and reads another prompt each
time. Peak memory is that of the new process. Training is the text-to-image recipe on the set `emoji`, with
the frozen language model `use`: what a step spends on fetching pictures (or latents) and words from their
caches, and which share of this machine's `torch.mm` it reaches.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from machine import count_flops, describe, facts, interleave, matmul_work, median_seconds, timed

from unfog import config as configs
from unfog.model import load_pictures
from unfog.model.asked import Wish
from unfog.recipes.draw import draw
from unfog.recipes.listen import Silent
from unfog.recipes.text2image import Text2ImageConfig, prepare
from unfog.recipes.train import RECIPES
from unfog.train import Training, TrainStep

ENDLESS = 1_000_000  # steps of a run that is only measured and never finished
THINGS = (
    "a smiling cat",
    "一只微笑的猫",
    "a red heart",
    "一辆蓝色的车",
    "a sleeping dog",
    "a yellow flower",
    "月亮",
)
REPEATED = 8  # matrix products in a timed block
FETCHES = 20  # batches in a timed block


def first_call(model: str, prompt: str, out: Path) -> tuple[float, float]:
    """Seconds and peak memory in MB of a new process that draws one picture."""
    command = [
        sys.executable,
        "-m",
        "unfog",
        "sample",
        model,
        "--out",
        str(out),
        "-n",
        "1",
        "--prompt",
        prompt,
    ]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status}.")
    return time.perf_counter() - start, used.ru_maxrss * 1024 / 1e6


def drawing(name: str, rounds: int) -> list[str]:
    """Rows of the table of one picture."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        first = [first_call(name, THINGS[i % len(THINGS)], out / f"first{i}") for i in range(rounds)]
        model = load_pictures(name)
        channels, height, width = model.shape
        calls = iter(range(10**6))

        def warm() -> None:
            number = next(calls)
            draw(
                model,
                out / f"warm{number}",
                1,
                wish=Wish(prompt=[f"{THINGS[number % len(THINGS)]} {number}"]),
            )

        warm()
        blocks = [timed(warm) for _ in range(2 * rounds)]
    seconds = [block.seconds for block in blocks]
    steps = model.spec.sampling.steps
    return [
        f"one picture, {width} x {height}, {channels} channels, {steps} steps, from prompt to file\n",
        "| call | seconds | peak memory |\n|---|---|---|",
        f"| first, a new process | {_spread([s for s, _ in first])} | {max(mb for _, mb in first):,.0f} MB |",
        f"| warm, another prompt | {_spread(seconds)} | |",
    ]


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


class Learning:
    """A text-to-image run on the emoji."""

    def __init__(self, size: int, codec: str | None, settings: list[str]) -> None:
        data = {"source": "emoji", "size": size, "codec": codec}
        values = {"data": data, "text": {"language": "use"}, "train": {"steps": ENDLESS}}
        config = configs.parse(Text2ImageConfig, configs.override(values, settings), "benchmark")
        prepared = prepare(config, Silent())
        self.config = RECIPES["text2image"].settled(config, prepared)
        self.data, train = prepared.batches(self.config), self.config.train
        plain = train.model_copy(update={"optimiser": "adamw", "steps": 1})
        self.flops = count_flops(
            lambda: next(Training(copy.deepcopy(prepared.model), self.data, plain).fit())
        )
        self._steps: Iterator[TrainStep] = Training(prepared.model, self.data, train).fit()
        self._fetched = 0

    def step(self) -> None:
        """One step of the run, the optimiser's included."""
        next(self._steps)

    def fetch(self) -> None:
        """Pictures and words of some batches, from their caches."""
        for _ in range(FETCHES):
            self.data(self._fetched)
            self._fetched += 1


def learning(case: Learning, rounds: int) -> list[str]:
    """Rows of the table of a training step."""
    multiply, flops = matmul_work()
    works: dict[str, Any] = {"mm": lambda: [multiply() for _ in range(REPEATED)]}
    blocks = interleave({**works, "fetch": case.fetch, "step": case.step}, rounds)
    pairs = list(zip(blocks["step"], blocks["mm"], strict=True))
    shares = [case.flops / step.seconds / (REPEATED * flops / mm.seconds) for step, mm in pairs]
    fetching = [a.seconds / FETCHES / b.seconds for a, b in zip(blocks["fetch"], blocks["step"], strict=True)]
    batch, seconds = case.config.train.batch, median_seconds(blocks["step"])
    return [
        f"a training step of {batch} emoji of {case.config.data.size} x {case.config.data.size} pixels"
        f"{', in latents' if case.config.data.codec else ''}\n",
        "| ms a step | pictures/s | share of `torch.mm` | fetching pictures and words |\n|---|---|---|---|",
        f"| {1e3 * seconds:.0f} | {batch / seconds:.1f} "
        f"| {statistics.median(shares):.0%} ({min(shares):.0%} to {max(shares):.0%}) "
        f"| {statistics.median(fetching):.2%} of the step |",
    ]


def main() -> None:
    """Read the command line, measure, print."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("model", nargs="?", default="emoji")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own choice)")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--codec", help="learn in the latents of this codec")
    parser.add_argument("--set", action="append", default=[], help="a setting of the recipe")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(describe(facts(["unfog"])), f"{torch.get_num_threads()} threads", sep=", ", flush=True)
    print("", *drawing(options.model, options.rounds), sep="\n", flush=True)
    print("", *learning(Learning(options.size, options.codec, options.set), options.rounds), sep="\n")


if __name__ == "__main__":
    main()
