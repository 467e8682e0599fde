"""The networks alone: what share of this machine's own matrix-multiply rate does a training step reach?

    python benchmarks/networks.py [--rounds 5] [--batch 32] [--threads 1] [--preset small] [--only joint]

A step is forward, backward and AdamW on noise, with a text of 24 tokens of which some are masked, in the
default networks of the image recipe. All variants run interleaved in one process, and every share is taken
inside one round, against a 2048 x 2048 fp32 `torch.mm` measured in that round. A share above 1 is no mistake:
linear layers and convolutions run on oneDNN, on some processors faster than the MKL behind `torch.mm`.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass
from typing import Any

import torch
from machine import count_flops, describe, facts, interleave, matmul_work, median_seconds

from unfog.nets import NETWORKS
from unfog.recipes.image import network_for

WORDS, CONTEXT = 24, 384  # tokens of a text, and their width
YARDSTICK = "torch.mm 2048"
# title -> kind, channels, side, options
CASES: dict[str, tuple[str, int, int, dict[str, Any]]] = {
    "joint, 32 px, patch 2": ("joint", 3, 32, {"patch": 2}),
    "joint, 32 px, patch 4": ("joint", 3, 32, {"patch": 4}),
    "joint, 32 px, patch 4, modulation of each block": ("joint", 3, 32, {"patch": 4, "modulation": "block"}),
    "joint, latent 16 x 16 x 4, patch 1": ("joint", 4, 16, {"patch": 1}),
    "joint, latent 16 x 16 x 4, patch 2": ("joint", 4, 16, {"patch": 2}),
    "joint, 32 px, patch 4, without a text": ("joint", 3, 32, {"patch": 4, "context": 0}),
    "unet, 32 px": ("unet", 3, 32, {}),
    "unet, 32 px, without a text": ("unet", 3, 32, {"context": 0}),
    "unet, latent 16 x 16 x 4, patch 1": ("unet", 4, 16, {"patch": 1}),
}


@dataclass
class Case:
    """A network, its optimiser and one batch."""

    network: torch.nn.Module
    x: torch.Tensor
    slots: dict[str, torch.Tensor]

    def __post_init__(self) -> None:
        self.optimiser = torch.optim.AdamW(self.network.parameters(), 1e-4, fused=True)

    def step(self) -> None:
        """One step."""
        found = self.network(self.x, self.x[:, 0, 0, 0], **self.slots)
        self.optimiser.zero_grad()
        (found - self.x).square().mean().backward()
        self.optimiser.step()


def build(preset: str, batch: int, kind: str, channels: int, side: int, options: dict[str, Any]) -> Case:
    """A case at a batch size."""
    chosen = network_for(preset, side, {"kind": kind, "context": CONTEXT, **options})
    make, config = NETWORKS[chosen.pop("kind")]
    chosen = {name: tuple(v) if isinstance(v, list) else v for name, v in chosen.items()}
    slots = {}
    if chosen["context"]:
        mask = torch.arange(WORDS) < torch.randint(4, WORDS + 1, (batch, 1))
        slots = {"tokens": torch.randn(batch, WORDS, CONTEXT), "mask": mask}
    return Case(make(config(channels=channels, **chosen)), torch.randn(batch, channels, side, side), slots)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own choice)")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--only", default="", help="cases whose title holds this")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(describe(facts(["unfog"])), f"{torch.get_num_threads()} threads", sep=", ", flush=True)
    cases = {
        title: build(options.preset, options.batch, *case)
        for title, case in CASES.items()
        if options.only in title
    }
    flops = {title: count_flops(case.step) for title, case in cases.items()}
    multiply, yard = matmul_work()
    works = {YARDSTICK: multiply, **{title: case.step for title, case in cases.items()}}
    blocks = interleave(works, options.rounds)
    print(f"{YARDSTICK}: {yard / median_seconds(blocks[YARDSTICK]) / 1e9:.0f} GFLOP/s\n")
    print("| network | parameters | GFLOP/img | img/s | share of torch.mm |\n|---|---|---|---|---|")
    for title, case in cases.items():
        rates = [
            flops[title] / a.seconds / (yard / b.seconds)
            for a, b in zip(blocks[title], blocks[YARDSTICK], strict=True)
        ]
        weights = sum(p.numel() for p in case.network.parameters()) / 1e6
        print(
            f"| {title} | {weights:.2f} M | {flops[title] / options.batch / 1e9:.2f} "
            f"| {options.batch / median_seconds(blocks[title]):.1f} "
            f"| {statistics.median(rates):.0%} ({min(rates):.0%}..{max(rates):.0%}) |"
        )


if __name__ == "__main__":
    main()
