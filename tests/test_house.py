"""The house rules that a machine can keep (CONTRIBUTING.md, "House rules"). People need not."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "unfog"

MAX_FILE, MAX_FUNCTION, MAX_LINE, MAX_NAMES = 400, 60, 110, 60

CODE_FOLDERS = ("src", "tests", "benchmarks", "examples")
IGNORED = {".git", ".venv", "build", "dist", "runs", "shared", "__pycache__"}
PROSE = {".md", ".toml", ".lock", ".txt", ".html", ".css", ".js", ".svg", ".json", ".sh", ""}

UNTESTED: dict[str, str] = {
    "__main__.py": "two lines; tests/test_import_time.py and tests/test_docs.py run it",
    "door.py": "tests/test_house.py and tests/recipes use it all",
}
"""Source files without a test file of their own, each with the reason."""

PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
RUNS_CODE = {"eval", "exec", "compile", "__import__", "torch.load", "torch.save", "os.system", "yaml.load"}
ALLOWS_CODE = {"allow_pickle", "shell", "trust_remote_code"}


def relative(path: Path) -> str:
    """A path as it is written in messages."""
    return path.relative_to(ROOT).as_posix()


def code_files() -> list[Path]:
    """All Python files that people of this project write."""
    return sorted(file for folder in CODE_FOLDERS for file in (ROOT / folder).rglob("*.py"))


def source_files() -> list[Path]:
    """The Python files of the package."""
    return sorted(SOURCE.rglob("*.py"))


def text_files() -> Iterator[Path]:
    """Every text file of the repository, code or not."""
    for folder, below, names in os.walk(ROOT):
        below[:] = [
            name
            for name in below
            if name not in IGNORED and not name.endswith((".egg-info", "_cache")) and name != ".hypothesis"
        ]
        for path in (Path(folder, name) for name in names):
            if path.is_file() and path.name != ".git" and (path.suffix == ".py" or path.suffix in PROSE):
                yield path


def parsed(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def inside(file: Path) -> tuple[str, ...]:
    """Folders and stem of a source file, seen from the package."""
    return file.relative_to(SOURCE).with_suffix("").parts


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods, nested ones too."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def none_of(wrong: list[str], rule: str) -> None:
    """Fail with the whole list, so that one run shows everything that is to be done."""
    assert not wrong, f"{rule}\n" + "\n".join(f"  {line}" for line in wrong)


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {relative(file): len(file.read_text(encoding="utf-8").splitlines()) for file in code_files()}
    wrong = [f"{name}: {length} lines" for name, length in lengths.items() if length > MAX_FILE]
    none_of(wrong, f"a file holds one idea, in at most {MAX_FILE} lines:")


def test_no_function_is_longer_than_60_lines() -> None:
    wrong = []
    for file in code_files():
        for node in functions(parsed(file)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                wrong.append(f"{relative(file)}:{node.lineno} {node.name}: {length} lines")
    none_of(wrong, f"a function fits on a screen, at most {MAX_FUNCTION} lines:")


def test_no_line_is_longer_than_110_characters() -> None:
    wrong = []
    for file in code_files():
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if len(line) > MAX_LINE:
                wrong.append(f"{relative(file)}:{number}: {len(line)} characters")
    none_of(wrong, f"at most {MAX_LINE} characters in a line:")


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "misc", "common", "core"}
    wrong = [relative(file) for file in source_files() if drawers & {*inside(file)}]
    none_of(wrong, "name the idea instead:")


def unsafe(node: ast.AST) -> str | None:
    """What is wrong with one piece of syntax, if it could run someone else's code."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        found = {name.split(".")[0] for name in names} & PICKLES
        return f"imports {found.pop()}" if found else None
    if not isinstance(node, ast.Call):
        return None
    name = ast.unparse(node.func)
    if name in RUNS_CODE:
        return f"calls {name}"
    for keyword in node.keywords:
        if keyword.arg in ALLOWS_CODE and ast.unparse(keyword.value) != "False":
            return f"calls {name} with {keyword.arg}"
    return None


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("import pickle", True),
        ("from joblib import load", True),
        ("torch.load(f)", True),
        ("eval(x)", True),
        ("np.load(f, allow_pickle=True)", True),
        ("np.load(f, allow_pickle=False)", False),
        ("model.eval()", False),
        ("re.compile(x)", False),
    ],
)
def test_the_search_for_unsafe_calls_finds_them(code: str, wrong: bool) -> None:
    assert any(unsafe(node) for node in ast.walk(ast.parse(code))) is wrong


def test_nothing_read_can_run_code() -> None:
    wrong = []
    for file in source_files():
        for node in ast.walk(parsed(file)):
            if (what := unsafe(node)) is not None:
                wrong.append(f"{relative(file)}:{getattr(node, 'lineno', 0)} {what}")
    none_of(wrong, "safetensors, JSON, TOML and plain arrays only:")


def undocumented(tree: ast.Module) -> Iterator[ast.AST]:
    """The module, public classes, functions and methods without a docstring; overloads need none."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        assert isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if not ast.get_docstring(node):
            yield node
        if isinstance(node, ast.Module | ast.ClassDef):
            for child in node.body:
                if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    continue
                decorators = {ast.unparse(each).split(".")[-1] for each in child.decorator_list}
                if not child.name.startswith("_") and not decorators & {"overload", "setter", "override"}:
                    pending.append(child)


def test_the_search_for_missing_docstrings_finds_them() -> None:
    code = '"""m."""\nclass A:\n  "a."\n  def f(self): ...\n  def _g(self): ...\ndef h(): ...\nclass _B: ...'
    assert {getattr(node, "name", "") for node in undocumented(ast.parse(code))} == {"f", "h"}


def test_everything_public_has_a_docstring() -> None:
    wrong = []
    for file in source_files():
        for node in undocumented(parsed(file)):
            name = getattr(node, "name", "the module itself")
            wrong.append(f"{relative(file)}:{getattr(node, 'lineno', 1)} {name}")
    none_of(wrong, "say what it does, with shapes and units:")


def test_no_path_of_one_machine_is_written_down() -> None:
    # spelt with brackets, so that this file does not find itself
    machine = re.compile(r"/[w]ork/|/[f]arm/|/[r]oot/|/[t]mp/[a-z]|/[h]ome/[a-z]|/[U]sers/[A-Za-z]")
    wrong = []
    for file in text_files():
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if found := machine.search(line):
                wrong.append(f"{relative(file)}:{number}: {found.group()}")
    none_of(wrong, "these exist on one machine only:")


def test_rooms_open_with_a_table_and_nothing_else() -> None:
    allowed = ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign
    wrong = []
    for file in sorted(SOURCE.glob("*/**/__init__.py")):
        for node in parsed(file).body:
            words = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            if not (words or checking or isinstance(node, allowed)):
                wrong.append(f"{relative(file)}:{node.lineno} {type(node).__name__}")
    none_of(wrong, "an __init__.py holds a docstring, imports and tables:")


def test_the_front_door_holds_only_the_lazy_lookup() -> None:
    lazy = {"__getattr__", "__dir__"}
    body = parsed(SOURCE / "__init__.py").body
    wrong = [
        f"{node.name} (line {node.lineno})"
        for node in body
        if isinstance(node, ast.ClassDef)
        or (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in lazy)
    ]
    none_of(wrong, "src/unfog/__init__.py names what is public; it defines nothing:")


def ruff_order(name: str) -> tuple[int, str]:
    """The order that ruff keeps in __all__: CONSTANTS, Classes, functions."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name


def test_public_names_are_few_sorted_and_all_there() -> None:
    unfog = importlib.import_module("unfog")
    names = list(unfog.__all__)
    assert names, "unfog.__all__ is empty"
    assert names == sorted(set(names), key=ruff_order), "sorted, none twice"
    assert len(names) <= MAX_NAMES
    for name in names:
        assert getattr(unfog, name) is not None
        assert name in dir(unfog), f"dir(unfog) lacks {name}"
    imported = {
        alias.asname or alias.name
        for node in ast.walk(parsed(SOURCE / "__init__.py"))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unfog")
        for alias in node.names
    }
    public = {name for name in imported if not name.startswith("_")}
    assert public <= set(names), f"imported but not in __all__: {sorted(public - set(names))}"


def test_public_things_say_what_they_are() -> None:
    unfog = importlib.import_module("unfog")
    silent = [
        name
        for name in unfog.__all__
        if (inspect.isclass(thing := getattr(unfog, name)) or callable(thing)) and not inspect.getdoc(thing)
    ]
    none_of(silent, "public, without a docstring:")


def test_unknown_public_names_fail_as_python_does() -> None:
    unfog = importlib.import_module("unfog")
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = unfog.no_such_name


def test_every_source_file_has_its_test_file() -> None:
    missing = []
    for file in source_files():
        place = file.relative_to(SOURCE)
        if file.name == "__init__.py" or place.as_posix() in UNTESTED:
            continue
        test = ROOT / "tests" / place.parent / f"test_{file.name}"
        if not test.is_file():
            missing.append(f"{relative(file)} -> {relative(test)}")
    none_of(missing, "tests mirror the source:")


def test_exceptions_to_the_mirror_are_still_needed() -> None:
    tests = {name: Path(ROOT, "tests", name) for name in UNTESTED}
    stale = [name for name, test in tests.items() if test.with_name(f"test_{test.name}").exists()]
    none_of(stale, "has a test file now, take it out of UNTESTED:")


def outline(document: Path) -> tuple[list[int], list[str]]:
    """Levels of the headings and languages of the code blocks, in order."""
    headings, blocks, fence = [], [], ""
    for line in document.read_text(encoding="utf-8").splitlines():
        if fence:
            fence = "" if line.strip() == fence else fence
        elif found := re.match(r"\s*(```+)\s*(\w*)", line):
            fence = found.group(1)
            blocks.append(found.group(2))
        elif found := re.match(r"(#+) ", line):
            headings.append(len(found.group(1)))
    return headings, blocks


def test_both_readmes_have_the_same_build() -> None:
    english, chinese = (ROOT / name for name in ("README.md", "README.zh.md"))
    for document in (english, chinese):
        assert document.is_file(), f"{document.name} is missing"
    assert outline(english)[0] == outline(chinese)[0], "levels of the headings differ"
    assert outline(english)[1] == outline(chinese)[1], "code blocks differ"


def test_the_readmes_show_the_same_pictures() -> None:
    def pictures(name: str) -> list[str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return re.findall(r"!\[[^\]]*\]\(([^)\s]+)", text) + re.findall(r"<img[^>]+src=\"([^\"]+)\"", text)

    assert pictures("README.md") == pictures("README.zh.md")
    missing = [path for path in pictures("README.md") if "://" not in path and not (ROOT / path).is_file()]
    none_of(missing, "pictures of the README that are not in the repository:")
