"""Runs the checks of the selftest on one copy of the package after another; `mutants.py` starts it.

    python benchmarks/mutant_server.py

torch is imported once. For each line on standard input, {"folder": ..., "first": [names of checks],
"seconds": ...}, a child is forked that imports the package from the folder and runs the checks, those named
first, until one fails. One line comes back: the check that failed, how the child broke, or nothing if all
passed.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys

import numpy as np
import torch


def run(folder: str, first: list[str]) -> str:
    """The first failure, "" if there is none."""
    sys.path.insert(0, folder)
    from unfog.verify import CHECKS

    names = [name for name in first if name in CHECKS]
    for name in [*names, *(other for other in CHECKS if other not in names)]:
        for result in CHECKS[name]():
            if not result.passed:
                return f"{name}: {result.entry}"
    return ""


def child(folder: str, first: list[str], pipe: int) -> None:
    """Run and tell; never returns."""
    try:
        found = run(folder, first)
    except BaseException as error:
        found = f"{type(error).__name__}: {error}"[:90].replace("\n", " ") or "it crashed"
    os.write(pipe, found.encode() or b"\0")
    os._exit(0)


def main() -> None:
    """One line in, one line out."""
    torch.set_num_threads(1)
    np.zeros(1)
    for line in sys.stdin:
        asked = json.loads(line)
        reading, writing = os.pipe()
        process = os.fork()
        if not process:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, 1)
            os.dup2(devnull, 2)
            child(asked["folder"], asked["first"], writing)
        os.close(writing)
        ready = select.select([reading], [], [], asked["seconds"])[0]
        found = os.read(reading, 1000) if ready else b"it never ended"
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(reading)
        print((found or b"it crashed").strip(b"\0").decode("utf-8", "replace"), flush=True)


if __name__ == "__main__":
    main()
