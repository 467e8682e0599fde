"""The training step: how much of this machine's own matrix-multiply rate does it reach, and beside whom?

    python benchmarks/training.py [--rounds 7] [--batches 64,16] [--threads N]

All variants run interleaved in one process (A/B/C/A/B/C...), and every share is taken inside one round,
against a 2048 x 2048 fp32 `torch.mm` measured in that round. Floating point operations are those of the
network forward and backward, counted by torch's own counter; the optimiser's (Muon multiplies matrices, too)
take time but do not count. Peers that are not installed are left out. Peak memory is measured in a fresh
process, which runs this file again.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import torch
from judge import digits
from machine import (
    Block,
    count_flops,
    describe,
    facts,
    interleave,
    matmul_work,
    median_seconds,
    peak_memory_mb,
)
from peers import available

BLOCK_FLOPS = 60e9  # a block of work is about a third of a second on the machine this was written for
YARDSTICK = "torch.mm 2048"
AIM = 0.60  # share of the yardstick that unfog's default step should reach


@dataclass
class Variant:
    """A contestant at one batch size, cut into blocks of several steps."""

    title: str
    runner: Any
    flops: int
    steps: int

    def block(self) -> None:
        """The work of one timed block."""
        for _ in range(self.steps):
            self.runner.advance()


def variants(batch_sizes: list[int]) -> list[Variant]:
    """Everyone at every batch size; unfog's own batch size comes first."""
    from ours import KINDS, Ours

    pictures, _ = digits()
    kinds = ("unfog-labels", "unfog-plain")  # the default, and the one that does just what the peers do
    makers = {KINDS[kind][0]: lambda size, kind=kind: Ours(kind, 0, size) for kind in kinds}
    for peer in available().values():
        makers[peer.title] = lambda size, peer=peer: peer(pictures, 0, size)
    found = []
    for size in batch_sizes:
        for title, make in makers.items():
            runner = make(size)
            flops = count_flops(runner.learn)
            runner.advance()  # the first step allocates the optimiser's state
            found.append(Variant(f"{title}, batch {size}", runner, flops, max(1, round(BLOCK_FLOPS / flops))))
    return found


def report(found: list[Variant], blocks: dict[str, list[Block]], yardstick_flops: float) -> list[str]:
    """One Markdown row per variant; rates are medians, shares are medians of ratios inside a round."""
    yardstick = blocks[YARDSTICK]
    rate = yardstick_flops / median_seconds(yardstick) / 1e9
    lines = [f"yardstick: {YARDSTICK} fp32 at {rate:.0f} GFLOP/s, {_others(yardstick)}", ""]
    header = ("variant", "parameters", "GFLOP/img", "ms/step", "img/s", "GFLOP/s", "share of torch.mm")
    lines += [_line(header), _line(("---",) * len(header))]
    for variant in found:
        runs, batch = blocks[variant.title], variant.runner.batch
        seconds = median_seconds(runs) / variant.steps
        shares = [
            variant.flops * variant.steps / mine.seconds / (yardstick_flops / its.seconds)
            for mine, its in zip(runs, yardstick, strict=True)
        ]
        row = (
            variant.title,
            f"{variant.runner.parameters / 1e6:.2f} M",
            f"{variant.flops / batch / 1e9:.3f}",
            f"{seconds * 1e3:.0f}",
            f"{batch / seconds:.1f}",
            f"{variant.flops / seconds / 1e9:.0f}",
            f"{statistics.median(shares):.0%} ({min(shares):.0%}..{max(shares):.0%})",
        )
        lines.append(_line(row))
    return lines


def loading_share(runner: Any, rounds: int) -> str:
    """How much of a step is spent on fetching and normalising the pictures, in words."""
    step = 0

    def load() -> None:
        nonlocal step
        for _ in range(20):
            raw, _labels = runner.data(step)
            runner.model.codec.encode(raw)
            step += 1

    blocks = interleave({"load": load, "step": lambda: [runner.advance() for _ in range(2)]}, rounds)
    ratios = [a.seconds / 20 / (b.seconds / 2) for a, b in zip(blocks["load"], blocks["step"], strict=True)]
    milliseconds = median_seconds(blocks["load"]) / 20 * 1e3
    share = statistics.median(ratios)
    return f"data loading: {milliseconds:.2f} ms per batch, {share:.1%} of a step (aim: < 3%)"


def memory_of_a_run() -> str:
    """Peak memory of a fresh process that trains thirty steps of the default network, in words."""
    lines = subprocess.run(
        [sys.executable, __file__, "--memory"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    before, after = map(float, lines[-1].split())
    return f"peak memory: {after:.0f} MB while training the default network, {before:.0f} MB before"


def _measure_memory() -> None:
    from ours import Ours

    before = peak_memory_mb()
    runner = Ours("unfog-labels", 0)
    for _ in range(30):
        runner.advance()
    print(before, peak_memory_mb())


def _others(blocks: list[Block]) -> str:
    return f"others used {statistics.median(block.others for block in blocks):.2f} cores meanwhile"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batches", default="64,16", help="batch sizes, comma-separated")
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own choice)")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.memory:
        _measure_memory()
        return
    packages = [name for peer in available().values() for name in peer.packages]
    print(describe(facts(["unfog", *packages])), f"{torch.get_num_threads()} threads", sep=", ", flush=True)
    found = variants([int(size) for size in options.batches.split(",")])
    multiply, flops = matmul_work()
    works = {YARDSTICK: lambda: [multiply() for _ in range(4)], **{v.title: v.block for v in found}}
    blocks = interleave(works, options.rounds)
    print("\n".join(report(found, blocks, 4 * flops)))
    print(f"\naim: {AIM:.0%} of torch.mm for unfog's default network")
    print(loading_share(found[0].runner, options.rounds))
    print(memory_of_a_run())


if __name__ == "__main__":
    main()
