"""`python -m benchmarks`, or `make bench`: the short benchmarks, then the quality findings kept so far.

Each script runs in its own process, so that none inherits the memory or the threads of another. The quality
benchmark itself takes hours and is started by hand: see README.md in this folder.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = ("training", "networks", "sampling", "parity")


def main() -> None:
    """Run the named scripts (all short ones when none is named) and print the quality table."""
    wanted = sys.argv[1:] or [*SCRIPTS, "quality"]
    unknown = sorted(set(wanted) - {*SCRIPTS, "quality"})
    if unknown:
        sys.exit(f"There is no benchmark {unknown[0]!r}. Known: {', '.join([*SCRIPTS, 'quality'])}.")
    failed = []
    for name in wanted:
        print(f"\n## {name}\n", flush=True)
        arguments = ["table"] if name == "quality" else []
        code = subprocess.run([sys.executable, HERE / f"{name}.py", *arguments], check=False).returncode
        failed += [name] if code else []
    if failed:
        sys.exit(f"\nThese benchmarks failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
