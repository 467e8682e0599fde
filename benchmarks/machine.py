"""What a benchmark needs from the machine: its name, how busy it is, clocks, counters, a safe JSON file."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Block:
    """One timed block of work.

    Attributes:
        seconds: wall-clock time.
        cpu: CPU seconds that this process used, all threads together.
        others: CPU cores that other processes (or the hypervisor) used meanwhile, on average; nan where
            the machine does not tell. Near 0 means that the block had the machine for itself.
    """

    seconds: float
    cpu: float
    others: float


def timed(work: Callable[[], Any]) -> Block:
    """Run `work` once and report its wall time together with what the rest of the machine did meanwhile."""
    busy, own, start = _busy_seconds(), time.process_time(), time.perf_counter()
    work()
    seconds, cpu = time.perf_counter() - start, time.process_time() - own
    others = (_busy_seconds() - busy - cpu) / seconds
    return Block(seconds, cpu, max(0.0, others) if others == others else others)


def interleave(works: dict[str, Callable[[], Any]], rounds: int, warm: int = 1) -> dict[str, list[Block]]:
    """Time every piece of work in turn, A/B/C/A/B/C..., so that drift of the machine hits all alike.

    Args:
        works: name -> work of one block.
        rounds: timed blocks of each.
        warm: untimed blocks of each beforehand.

    Returns: name -> its blocks, in the order of the rounds.
    """
    for work in works.values():
        for _ in range(warm):
            work()
    blocks: dict[str, list[Block]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            blocks[name].append(timed(work))
    return blocks


def median_seconds(blocks: Iterable[Block]) -> float:
    """Median wall time of some blocks, in seconds."""
    return statistics.median(block.seconds for block in blocks)


def median_ratio(above: Iterable[Block], below: Iterable[Block]) -> float:
    """Median over rounds of time(above) / time(below): each ratio is taken inside one round."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(above, below, strict=True))


def facts(packages: Iterable[str] = ()) -> dict[str, Any]:
    """Describe this machine, this moment and the versions of `packages` (missing ones are left out)."""
    versions = {}
    for name in ("torch", *packages):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "versions": versions,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def describe(found: dict[str, Any]) -> str:
    """One line for people out of `facts`."""
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    where = f"{found['cores']} cores of {found['cpu']}"
    return f"{found['date'][:10]}, {where}, Python {found['python']}, {versions}"


def matmul_work(size: int = 2048) -> tuple[Callable[[], Any], float]:
    """The yardstick: one fp32 `torch.mm` of two size x size matrices, and its floating point operations."""
    import torch

    a, b = torch.randn(size, size), torch.randn(size, size)
    return lambda: torch.mm(a, b), 2.0 * size**3


def count_flops(work: Callable[[], Any]) -> int:
    """Floating point operations of `work` by torch's own counter (multiplications and additions apart).

    It does not know the fused attention of ordinary processors: two products forward, five backward.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    def forward(query: Any, key: Any, *others: Any, **more: Any) -> int:
        batch, heads, rows, width = query
        return 4 * batch * heads * rows * key[2] * width

    def backward(gradient: Any, query: Any, key: Any, *others: Any, **more: Any) -> int:
        return 5 * forward(query, key) // 2

    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    known = {
        attention: forward,
        torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: backward,
    }
    with FlopCounterMode(display=False, custom_mapping=known) as counter:
        work()
    return int(counter.get_total_flops())


def peak_memory_mb() -> float:
    """Peak resident set of this process so far, in MB (1e6 bytes); nan where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON in one move: a crash leaves the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with beside.open("w") as file:
        json.dump(value, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_json(path: Path) -> Any:
    """Read a JSON file; None if it is not there."""
    return json.loads(path.read_text()) if path.exists() else None


def _busy_seconds() -> float:
    """CPU seconds that all processes of the machine have used so far, stolen time included."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return float("nan")
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
