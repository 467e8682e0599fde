"""Does the selftest notice a flipped sign? Change the mathematics in one place, run it, and see it fail.

    python benchmarks/mutants.py [--count 80 | --all] [--seed 0] [--jobs 1]

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
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "unfog"
ROOMS = ("process", "denoise", "sample", "guide")
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


def refuses(node: ast.AST) -> bool:
    """Whether a piece of syntax is about wrong use: it raises, or asks a ``check`` to."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return name.startswith("check")
    return isinstance(node, ast.Raise)


def mutants_of(path: Path) -> list[Mutant]:
    """All mutants of one file."""
    tree = ast.parse(path.read_text("utf-8"))
    found = []
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and computes(n)):
        inside = [node for statement in function.body for node in ast.walk(statement)]
        raising = {id(n) for node in inside if refuses(node) for n in ast.walk(node)}
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


class Workplace:
    """A copy of the package that is changed in one file at a time, and a server that runs the checks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(SOURCE, folder / "unfog", ignore=shutil.ignore_patterns("__pycache__"))
        self.server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("mutant_server.py"))],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def killed_by(self, mutant: Mutant, first: list[str]) -> str | None:
        """The check that failed, None if all passed."""
        path = self.folder / "unfog" / mutant.file
        self._write(path, mutant.text)
        assert self.server.stdin is not None and self.server.stdout is not None
        asked = {"folder": str(self.folder), "first": first, "seconds": PATIENCE}
        self.server.stdin.write(json.dumps(asked) + "\n")
        self.server.stdin.flush()
        found = self.server.stdout.readline().strip()
        self._write(path, (SOURCE / mutant.file).read_text("utf-8"))
        return found or None

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, "utf-8")
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()  # two texts of one length within a second look the same to Python


class Memory:
    """Which checks caught mutants of a file before: they are asked first, as they will catch the next."""

    def __init__(self) -> None:
        self.caught: dict[str, Counter[str]] = {}

    def first(self, mutant: Mutant) -> list[str]:
        """Names of checks, the most successful first."""
        return [name for name, _ in self.caught.get(mutant.file, Counter()).most_common()]

    def keep(self, mutant: Mutant, cause: str | None) -> None:
        """Remember what caught it."""
        if cause:
            self.caught.setdefault(mutant.file, Counter())[cause.split(":")[0]] += 1


def judged(mutants: list[Mutant], jobs: int, folder: Path) -> Iterator[str | None]:
    """What caught each mutant, in order."""
    places: queue.Queue[Workplace] = queue.Queue()
    memory = Memory()
    for number in range(jobs):
        places.put(Workplace(folder / str(number)))

    def judge(mutant: Mutant) -> str | None:
        place = places.get()
        cause = place.killed_by(mutant, memory.first(mutant))
        memory.keep(mutant, cause)
        places.put(place)
        return cause

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(judge, mutants)


def main() -> None:
    """Draw mutants, run them, print the survivors."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="every mutant there is, instead of --count")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    everything = [
        m for room in ROOMS for path in sorted((SOURCE / room).glob("*.py")) for m in mutants_of(path)
    ]
    count = len(everything) if options.all else min(options.count, len(everything))
    chosen = random.Random(options.seed).sample(everything, count)
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        causes = judged(chosen, options.jobs, Path(folder))
        for number, (mutant, cause) in enumerate(zip(chosen, causes, strict=True), 1):
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
