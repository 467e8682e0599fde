"""Quality for equal time: unfog and two peers, the same digits, the same cores, five minutes each.

    python benchmarks/quality.py judge                     train the shared judge, print its floor
    python benchmarks/quality.py calibrate                 training speed of everyone, interleaved
    python benchmarks/quality.py train NAME --seed K       train, sample 1,000, judge; kept as JSON
    python benchmarks/quality.py clock                     sampling speed of everyone, interleaved
    python benchmarks/quality.py table                     everything so far, as Markdown

On a shared machine a wall clock is unfair: whoever trains beside a busy neighbour sees fewer pictures. So the
calibration measures each contestant's speed in short interleaved blocks, and everyone then trains for the
number of steps that five minutes buy at that speed. For unfog that is the median block at full threads. The
peers get more: their fastest block, or `--threads 1` blocks counted in CPU seconds and multiplied by the
number of cores, whichever is faster. The latter is what perfect scaling would reach; it hardly depends on
the neighbours and flatters the peer. A disturbed machine then changes how long the benchmark takes, and not
what it says. Everything lands in the folder `--work`, one file per finding: an interrupted benchmark goes
on where it was.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from findings import CORES, budget, sampling_seconds, speed, table
from judge import digits, make_judge
from machine import facts, interleave, read_json, write_json
from peers import PEERS, available

SAMPLES = 1000
SEEDS = (0, 1, 2)
BLOCK_SECONDS = 2.0  # aimed-at length of a calibration block
CLOCK_SAMPLES = 50
OURS = ("unfog", "unfog-labels", "unfog-plain")


def names() -> list[str]:
    """Everyone who can take part here, the peers first."""
    return [*available(), *OURS]


def contestant(name: str, pictures: torch.Tensor, seed: int) -> Any:
    """Build a contestant by its name."""
    if name in OURS:
        from ours import Ours

        return Ours(name, seed)
    return PEERS[name](pictures, seed)


def run_judge(work: Path, _: argparse.Namespace) -> None:
    """Train the judge (or find it) and print how good it is."""
    make_judge(work)
    notes = read_json(work / "judge.json")
    floor, noise = notes["floor"]["frechet"], notes["noise"]["frechet"]
    print(f"judge: {notes['accuracy']:.1%} right on 1,000 held-out digits, whose own distance is {floor:.2f}")
    print(f"       that of 1,000 pictures of Gaussian noise is {noise:.0f}")


def run_calibrate(work: Path, options: argparse.Namespace) -> None:
    """Measure training speeds in interleaved blocks and add them to what earlier calibrations found."""
    pictures, _ = digits()
    works, images, runners = {}, {}, {}
    for name in options.names or names():
        runner = contestant(name, pictures, seed=0)
        runner.advance()
        start = time.perf_counter()
        runner.advance()
        steps = max(2, round(BLOCK_SECONDS / (time.perf_counter() - start)))
        works[name], runners[name] = _several(runner, steps), runner
        images[name] = steps * runner.batch
    blocks = interleave(works, options.rounds)
    kept = read_json(work / "calibration.json") or {}
    for name, timings in blocks.items():
        count, runner = images[name], runners[name]
        entry = kept.setdefault(name, {"batch": runner.batch, "setup": 0.0, "blocks": []})
        entry["setup"] = max(entry.get("setup", 0.0), runner.setup)
        entry["blocks"] += [
            {
                "rate": count / block.seconds,
                "rate_per_cpu_second": count / block.cpu,
                "others": block.others,
                "threads": torch.get_num_threads(),
            }
            for block in timings
        ]
    kept["machine"] = facts()
    write_json(work / "calibration.json", kept)
    for name, timings in blocks.items():
        found = speed(work, name)
        print(
            f"{name:12} img/s: {found.median:.1f} median, {found.quartile:.1f} upper quartile, "
            f"{found.fastest:.1f} fastest, {found.perfect:.1f} at perfect scaling; others used "
            f"{statistics.median(block.others for block in timings):.2f} cores now"
        )


def run_train(work: Path, options: argparse.Namespace) -> None:
    """Train one contestant for its budget, draw 1,000 samples and judge them."""
    name, seed = options.name, options.seed
    result, stem = work / f"{name}-{seed}.json", work / f"{name}-{seed}"
    if read_json(result) is not None and not options.again:
        print(f"{result} is there already; --again does it once more")
        return
    judge = make_judge(work)
    pictures, _ = digits()
    runner = contestant(name, pictures, seed)
    weights, diary = stem.with_suffix(".safetensors"), stem.with_suffix(".training.json")
    if weights.exists() and diary.exists() and not options.again:
        runner.load(weights)
    else:
        start = time.perf_counter()
        losses = runner.train(budget(work, name))
        write_json(diary, _diary(losses, runner.batch, time.perf_counter() - start))
        runner.save(weights)
    samples, labels = runner.sample(SAMPLES, seed + 1)
    np.save(stem.with_suffix(".npy"), samples.numpy())
    found = {
        "name": name,
        "title": runner.title,
        "seed": seed,
        "parameters": runner.parameters,
        "training": read_json(diary),
        "threads": torch.get_num_threads(),
        "judged": judge.score(samples, labels),
        "machine": facts(runner.packages),
    }
    write_json(result, found)
    print(f"{name} seed {seed}: {found['judged']}", flush=True)


def run_clock(work: Path, options: argparse.Namespace) -> None:
    """Time the drawing of 50 samples by everyone in turn; the table scales it to 1,000 and says so."""
    pictures, _ = digits()
    works = {}
    for name in options.names or names():
        runner = contestant(name, pictures, seed=0)
        weights = work / f"{name}-0.safetensors"
        if weights.exists():
            runner.load(weights)
        else:
            runner.finish()
        works[name] = lambda runner=runner: runner.sample(CLOCK_SAMPLES, 1)
    kept = read_json(work / "clock.json") or {}
    for name, timings in interleave(works, options.rounds).items():
        entry = kept.setdefault(name, {"samples": CLOCK_SAMPLES, "blocks": []})
        entry["blocks"] += [{"seconds": block.seconds, "others": block.others} for block in timings]
    kept["machine"] = facts()
    write_json(work / "clock.json", kept)
    for name in works:
        seconds, quiet = sampling_seconds(work, name)
        disturbed = "" if quiet else ", while others used the machine"
        print(f"{name:12} {seconds:7.1f} s per 1,000 samples (scaled from {CLOCK_SAMPLES}{disturbed})")


def run_table(work: Path, _: argparse.Namespace) -> None:
    """Print everything found so far as a Markdown table."""
    print(table(work, names()))


def main() -> None:
    """Read the command line and run one part of the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--work", type=Path, default=Path("build/quality"), help="where findings are kept")
    parser.add_argument("--threads", type=int, help=f"torch threads (default: {CORES})")
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("judge").set_defaults(run=run_judge)
    for part, run, rounds in (("calibrate", run_calibrate, 12), ("clock", run_clock, 4)):
        timed = parts.add_parser(part)
        timed.add_argument("names", nargs="*", help="only these contestants")
        timed.add_argument("--rounds", type=int, default=rounds)
        timed.set_defaults(run=run)
    train = parts.add_parser("train")
    train.add_argument("name", choices=names())
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--again", action="store_true", help="even if the result is there")
    train.set_defaults(run=run_train)
    parts.add_parser("table").set_defaults(run=run_table)
    options = parser.parse_args()
    torch.set_num_threads(options.threads or CORES)
    options.run(options.work, options)


def _several(runner: Any, steps: int) -> Any:
    def block() -> None:
        for _ in range(steps):
            runner.advance()

    return block


def _diary(losses: list[float], batch: int, seconds: float) -> dict[str, Any]:
    return {
        "steps": len(losses),
        "images": len(losses) * batch,
        "seconds_disturbed_or_not": seconds,
        "loss_first_50": statistics.mean(losses[:50]),
        "loss_last_200": statistics.mean(losses[-200:]),
    }


if __name__ == "__main__":
    main()
