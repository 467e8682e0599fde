"""``unfog selftest``: the mathematics against closed forms, as a table."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from unfog.cli.screen import Screen, answer, table


def selftest(
    all_: Annotated[bool, typer.Option("--all", help="Show every number, not only the worst.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check schedules, targets, samplers, guides and densities against closed forms."""
    started = time.perf_counter()
    with Screen() as screen:
        import torch

        from unfog.verify import CHECKS

        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # the tensors are tiny: more threads would only wait for each other

        found = []
        for done, (name, check) in enumerate(CHECKS.items()):
            screen.phase(f"Checking: {name}", done, len(CHECKS))
            found += [(name, result) for result in check()]
        torch.set_num_threads(threads)
    failed = [(name, result) for name, result in found if not result.passed]
    seconds = time.perf_counter() - started
    rows = []
    for name in CHECKS:
        mine = [result for check, result in found if check == name]
        bad = [result for result in mine if not result.passed]
        rows.append([name, str(len(mine)), "ok" if not bad else f"{len(bad)} FAILED"])
    shown = found if all_ else failed
    details = [[name, r.entry, r.what, f"{r.value:.3g}", f"{r.low:.3g} to {r.high:.3g}"] for name, r in shown]
    text = [table(["check", "numbers", "result"], rows)]
    text += [table(["check", "entry", "what", "found", "has to be"], details)] if details else []
    text += [f"{len(found) - len(failed)} of {len(found)} numbers are right; {seconds:.0f} s."]
    values = {
        "passed": not failed,
        "numbers": len(found),
        "failed": len(failed),
        "seconds": round(seconds, 1),
        "results": [
            {
                "check": name,
                "entry": r.entry,
                "what": r.what,
                "value": r.value,
                "low": r.low,
                "high": r.high,
                "passed": r.passed,
            }
            for name, r in found
        ],
    }
    answer(values, json, "\n\n".join(text))
    if failed:
        raise typer.Exit(1)
