"""What `quality.py` has found so far, read back from its folder: speeds, budgets, results and their table."""

from __future__ import annotations

import math
import os
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import describe, read_json
from peers import PEERS

SECONDS = 300.0  # of training for everyone
CORES = min(2, os.cpu_count() or 1)  # the benchmark is defined for two cores
QUIET = 0.15  # cores that others may use during a block that counts as undisturbed

HEADER = (
    "contestant",
    "Frechet distance",
    "agreement",
    "confidence",
    "above 0.9",
    "class balance",
    "s per 1,000",
    "img/s",
    "steps",
    "images",
    "parameters",
)


@dataclass(frozen=True)
class Speed:
    """Calibrated training speed of one contestant, in pictures per second; nan where it was not measured.

    Attributes:
        median: median of the blocks at full threads, of the undisturbed ones when there are any.
        quartile: upper quartile of the same blocks.
        fastest: fastest of all blocks at full threads.
        perfect: fastest block on one thread, per CPU second, times the number of cores: perfect scaling.
        batch: pictures per step.
        setup: CPU seconds of preparation before the first step, which count as training.
        quiet: whether undisturbed blocks at full threads were found.
    """

    median: float
    quartile: float
    fastest: float
    perfect: float
    batch: int
    setup: float
    quiet: bool


def undisturbed(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks during which others left the machine alone."""
    return [block for block in blocks if block["others"] < QUIET]


def speed(work: Path, name: str) -> Speed | None:
    """The calibrated speed of a contestant; None when it was not calibrated."""
    kept = (read_json(work / "calibration.json") or {}).get(name)
    if kept is None:
        return None
    full = [block for block in kept["blocks"] if block["threads"] >= CORES]
    single = [block["rate_per_cpu_second"] for block in kept["blocks"] if block["threads"] == 1]
    quiet = undisturbed(full)
    rates = sorted(block["rate"] for block in quiet or full)
    return Speed(
        median=statistics.median(rates) if rates else math.nan,
        quartile=statistics.quantiles(rates, n=4)[2] if len(rates) > 1 else math.nan,
        fastest=max((block["rate"] for block in full), default=math.nan),
        perfect=max(single) * CORES if single else math.nan,
        batch=kept["batch"],
        setup=kept.get("setup", 0.0),
        quiet=bool(quiet),
    )


def granted_rate(name: str, found: Speed) -> float:
    """The speed at which five minutes are counted: for unfog its median, for a peer the best."""
    rates = (found.fastest, found.perfect) if name in PEERS else (found.median,)
    return max((rate for rate in rates if not math.isnan(rate)), default=math.nan)


def budget(work: Path, name: str) -> int:
    """Steps that five minutes buy, less what the preparation took."""
    found = speed(work, name)
    rate = math.nan if found is None else granted_rate(name, found)
    if found is None or math.isnan(rate):
        sys.exit(
            f"{name} has no calibrated speed in {work}. Run: python benchmarks/quality.py calibrate {name}"
        )
    return max(1, round((SECONDS - found.setup) * rate / found.batch))


def results(work: Path, name: str) -> list[dict[str, Any]]:
    """All judged runs of a contestant, by seed."""
    found = [read_json(path) for path in work.glob(f"{name}-*.json") if path.stem[len(name) + 1 :].isdigit()]
    return sorted(found, key=lambda run: run["seed"])


def sampling_seconds(work: Path, name: str) -> tuple[float, bool]:
    """Seconds per 1,000 samples, scaled from the clock's blocks, and whether they were undisturbed."""
    entry = (read_json(work / "clock.json") or {}).get(name)
    if entry is None:
        return math.nan, False
    quiet = undisturbed(entry["blocks"])
    seconds = statistics.median(block["seconds"] for block in quiet or entry["blocks"])
    return seconds * 1000 / entry["samples"], bool(quiet)


def table(work: Path, names: list[str]) -> str:
    """Everything found so far as Markdown: machine, one row per contestant, the floor, and the ratios."""
    runs = {name: found for name in names if (found := results(work, name))}
    rows = [_row(work, name, found) for name, found in runs.items()]
    notes = read_json(work / "judge.json")
    if notes is not None:
        rows.append(_judged_row("real held-out digits", [notes["floor"]]))
        rows.append(_judged_row("Gaussian noise", [notes["noise"]]))
    lines = ["| " + " | ".join(row) + " |" for row in (HEADER, ("---",) * len(HEADER), *rows)]
    return "\n".join([*_machines(runs), "", *lines, "", *_remarks(runs)])


def _row(work: Path, name: str, runs: list[dict[str, Any]]) -> tuple[str, ...]:
    seconds, quiet = sampling_seconds(work, name)
    steps, images = (runs[0]["training"][key] for key in ("steps", "images"))
    found = speed(work, name)
    rate = math.nan if found is None else granted_rate(name, found)
    tail = (
        f"{seconds:.1f}{'' if quiet else '*'}",
        f"{rate:.1f}{'' if found and (found.quiet or name in PEERS) else '*'}",
        str(steps),
        str(images),
        f"{runs[0]['parameters'] / 1e6:.2f} M",
    )
    title = f"{runs[0].get('title', name)}, {len(runs)} seed{'s' * (len(runs) > 1)}"
    return _judged_row(title, [run["judged"] for run in runs], tail)


def _judged_row(
    title: str, judged: list[dict[str, Any]], tail: tuple[str, ...] = ("",) * 5
) -> tuple[str, ...]:
    def spread(key: str, digits: int) -> str:
        values = sorted(figures[key] for figures in judged if key in figures)
        if not values:
            return ""
        middle = f"{statistics.median(values):.{digits}f}"
        return middle if len(values) == 1 else f"{middle} ({values[0]:.{digits}f}..{values[-1]:.{digits}f})"

    distances = [figures["frechet"] for figures in judged]
    places = 0 if min(distances) > 100 else 2
    figures = (spread("agreement", 3), spread("confidence", 3), spread("sure", 3), spread("balance", 3))
    return (title, spread("frechet", places), *figures, *tail)


def _machines(runs: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The machine of the newest run, the versions of all runs; a warning if there were several machines."""
    everyone = [run["machine"] for found in runs.values() for run in found]
    if not everyone:
        return ["Nothing was trained yet."]
    newest = dict(max(everyone, key=lambda machine: machine["date"]))
    newest["versions"] = {key: value for machine in everyone for key, value in machine["versions"].items()}
    lines = [describe(newest)]
    if len({(machine["cpu"], machine["cores"]) for machine in everyone}) > 1:
        lines.append("WARNING: these runs come from different machines; times do not compare.")
    return lines


def _remarks(runs: dict[str, list[dict[str, Any]]]) -> list[str]:
    lines = [
        "Median over seeds (lowest..highest). Five minutes of training on two cores each, counted in steps",
        "at the calibrated speed: ours at its median block, a peer's at its fastest or at perfect scaling.",
        "Seconds per 1,000 samples are scaled from 50. * was only measured while others used the machine.",
    ]
    middle = {
        name: statistics.median(run["judged"]["frechet"] for run in found) for name, found in runs.items()
    }
    peers = {name: value for name, value in middle.items() if name in PEERS}
    for name in (name for name in middle if name not in PEERS):
        if peers:
            best = min(peers, key=peers.__getitem__)
            lines.append(
                f"{name}: Frechet distance {peers[best] / middle[name]:.0f} times lower than {best}'s."
            )
    return lines
