"""Every command and every Python block of the documents is run; `tests/documents.py` says how."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from tests.documents import (
    PYTHONS,
    ROOT,
    SHELLS,
    SHORT,
    DocumentError,
    blocks,
    commands,
    quick,
    quick_python,
    run_document,
    run_unfog,
)

DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "benchmarks" / "README.md",
]


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of digits after a few steps: it draws nothing one could read, but every command takes it."""
    folder = tmp_path_factory.mktemp("model")
    words = ["unfog", "train", "image", "--data", "digits", "--out", "run", *SHORT]
    code, out, err = run_unfog(words, folder)
    assert code == 0, out + err
    return folder / "run" / "model"


def name_of(document: Path) -> str:
    """Path from the root."""
    return document.relative_to(ROOT).as_posix()


@pytest.mark.timeout(1200)  # the README trains a model of every kind
@pytest.mark.parametrize("document", [d for d in DOCUMENTS if d.name != "README.zh.md"], ids=name_of)
def test_everything_in_the_document_works(
    document: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    text = document.read_text(encoding="utf-8")
    words = [c.words[0] for b in blocks(text) if b.language in SHELLS for c in commands(b)]
    loads = any("load(" in block.text for block in blocks(text) if block.language in PYTHONS)
    needed = loads or "unfog" in words
    model = request.getfixturevalue("small_model") if needed else tmp_path
    run_document(text, name_of(document), tmp_path, model)


def test_the_chinese_readme_says_the_same() -> None:
    """So it needs no second run: the same commands, and the same code but for its comments."""

    def essence(name: str) -> list[object]:
        found = list(blocks((ROOT / name).read_text(encoding="utf-8")))
        shell = [command.words for block in found if block.language in SHELLS for command in commands(block)]
        return [*shell, *(ast.dump(ast.parse(block.text)) for block in found if block.language in PYTHONS)]

    assert essence("README.md") == essence("README.zh.md")


def test_the_readme_has_commands_to_run() -> None:
    found = [
        c.words[:2] for b in blocks((ROOT / "README.md").read_text(encoding="utf-8")) for c in commands(b)
    ]
    for wanted in [("make", "demo"), ("make", "test"), ("unfog", "train"), ("unfog", "sample")]:
        assert wanted in found


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    prose = re.sub(r"^[ ]*(`{3,}).*?^[ ]*\1", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)[^)]*\)", prose)]
    broken = [
        t
        for t in targets
        if t and "://" not in t and not t.startswith("mailto:")
        if not (document.parent / t).exists()
    ]
    assert not broken, f"{name_of(document)} links to what is not there: {broken}"


def test_the_reader_of_documents_sees_every_command() -> None:
    text = "a\n```console\n$ unfog train \\\n  image  # why\n1\n$ cd x && X=1 unfog sample m | head\n```\n"
    found = [command for block in blocks(text) for command in commands(block)]
    assert [command.words for command in found] == [
        ("unfog", "train", "image"),
        ("cd", "x"),
        ("unfog", "sample", "m"),
    ]
    assert [command.line for command in found] == [3, 6, 6]
    assert [c.words for b in blocks("```bash\nmake demo\n```\n") for c in commands(b)] == [("make", "demo")]


def test_commands_are_made_short() -> None:
    long = shlex.split("unfog train image --data fashion-mnist --minutes 10 --preset base --out r")
    assert quick(long) == [*shlex.split("unfog train image --data digits --out r"), *SHORT]
    assert quick(shlex.split("unfog sample m -n 1000 --steps 50")) == shlex.split(
        "unfog sample m -n 64 --steps 4"
    )
    short = 'unfog.train("image", steps=8, preset="tiny", samples=0)'
    assert quick_python('unfog.train("image", minutes=10)') == short
    assert quick_python("p = model.generate(16, steps=20)") == "p = model.generate(16, steps=4)"


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ unfog sample nowhere --out x\n```\n",
        "```console\n$ unfog no-such-command\n```\n",
        "```bash\nmake no-such-target\n```\n",
        "```bash\nno-such-program\n```\n",
        "```bash\npip install 'unfog[no-such-extra]'\n```\n",
        "```python\nimport unfog\nunfog.no_such_name\n```\n",
    ],
)
def test_a_document_that_does_not_work_fails(text: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"x\.md:\d+"):
        run_document(text, "x.md", tmp_path, tmp_path)
