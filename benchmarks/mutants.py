"""Does the selftest notice a flipped sign? Change the mathematics in one place, run it, and see it fail.

    python benchmarks/mutants.py [--count 80] [--seed 0] [--jobs 1]

Mutants are drawn from `process`, `denoise`, `sample` and `guide`: a plus for a minus, a product for a
quotient, a sign dropped, a number off by one, alpha for sigma. Each one is a copy of the package with one
change; the checks of `unfog selftest` run on it until the first failure. A mutant that survives is a place
where a mistake would go unnoticed, or a change that changes nothing: survivors are printed for a person to
look at.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "unfog"
ROOMS = ("process", "denoise", "sample", "guide")
RUN = """
import sys
from unfog.verify import CHECKS
for name, check in CHECKS.items():
    for result in check():
        if not result.passed:
            print(f"{name}: {result.entry}")
            sys.exit(1)
"""
GUARD = 1e-9  # smaller numbers only keep a division from failing: which one it is changes nothing
PATIENCE = 400  # seconds, ten times what the selftest takes: a mutant that walks in circles is caught too
SWAPS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
NAMES = {"alpha_t": "sigma_t", "sigma_t": "alpha_t", "alpha_s": "sigma_s", "sigma_s": "alpha_s"}
NAMES |= {"alpha": "sigma", "sigma": "alpha"}


@dataclass(frozen=True)
class Mutant:
    """One change: where, and the whole text of the file with it."""

    file: str
    line: int
    what: str
    text: str


def changed(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What one piece of syntax can become, in words and as syntax."""
    if isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
        other = copy.deepcopy(node)
        other.op = SWAPS[type(node.op)]()
        yield f"{ast.unparse(node)}  ->  {ast.unparse(other)}", other
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield f"{ast.unparse(node)}  ->  {ast.unparse(node.operand)}", node.operand
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in NAMES:
        yield f"{node.id}  ->  {NAMES[node.id]}", ast.copy_location(ast.Name(NAMES[node.id], node.ctx), node)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float) and abs(node.value) > GUARD:
        off = node.value + 1 if isinstance(node.value, int) else node.value * 1.5
        yield f"{node.value}  ->  {off}", ast.copy_location(ast.Constant(off), node)


def computes(function: ast.FunctionDef) -> bool:
    """Whether a function is mathematics, and not about messages, memory or limits of use."""
    return not function.name.startswith(("check_", "_check", "__", "cat", "map", "slots"))


def mutants_of(path: Path) -> list[Mutant]:
    """All mutants of one file."""
    tree = ast.parse(path.read_text("utf-8"))
    found = []
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and computes(n)):
        inside = [node for statement in function.body for node in ast.walk(statement)]
        raising = {id(n) for node in inside if isinstance(node, ast.Raise) for n in ast.walk(node)}
        for node in inside:
            for what, other in () if id(node) in raising else changed(node):
                found.append((node, what, other, function.name))
    name = path.relative_to(SOURCE).as_posix()
    return [
        Mutant(name, getattr(n, "lineno", 0), f"{where}: {what}", _replaced(path, tree, n, other))
        for n, what, other, where in found
    ]


def _replaced(path: Path, tree: ast.Module, node: ast.AST, other: ast.AST) -> str:
    class Exchange(ast.NodeTransformer):
        def visit(self, here: ast.AST) -> ast.AST:
            return other if here is node else self.generic_visit(here)

    # exchanging rebuilds the tree in place: work on a copy, in which the one node is still itself
    kept = copy.deepcopy(tree, {id(node): node})
    return ast.unparse(ast.fix_missing_locations(Exchange().visit(kept)))


def killed_by(mutant: Mutant) -> str | None:
    """The check that failed, None if all passed."""
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "unfog"
        shutil.copytree(SOURCE, copied, ignore=shutil.ignore_patterns("__pycache__"))
        (copied / mutant.file).write_text(mutant.text, "utf-8")
        environment = {**os.environ, "PYTHONPATH": folder, "OMP_NUM_THREADS": "1"}
        try:
            done = subprocess.run(
                [sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, timeout=PATIENCE
            )
        except subprocess.TimeoutExpired:
            return "it never ended"
    if done.returncode == 0:
        return None
    return done.stdout.strip() or (done.stderr.strip().splitlines() or ["it crashed"])[-1][:90]


def main() -> None:
    """Draw mutants, run them, print the survivors."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    everything = [
        m for room in ROOMS for path in sorted((SOURCE / room).glob("*.py")) for m in mutants_of(path)
    ]
    chosen = random.Random(options.seed).sample(everything, min(options.count, len(everything)))
    survivors = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for number, (mutant, cause) in enumerate(zip(chosen, pool.map(killed_by, chosen), strict=True), 1):
            place = f"{mutant.file}:{mutant.line} {mutant.what}"
            print(
                f"{number:3} {'SURVIVED' if cause is None else 'caught  '} {place}   [{cause or ''}]",
                flush=True,
            )
            survivors += [place] if cause is None else []
    print(f"\n{len(chosen) - len(survivors)} of {len(chosen)} mutants caught (of {len(everything)} possible)")
    print("\n".join(survivors))


if __name__ == "__main__":
    main()
