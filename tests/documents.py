"""Every command and every Python block of the documents is run, in order, in a folder of its own.

How a document is read:

- In ```console blocks, lines that begin with `$ ` are commands (`\\` at the end goes on in the next line) and
  the rest is output. In ```bash and ```sh blocks without any `$ `, every line is a command.
- `unfog ...` is run, made short by the rules of `quick`; it must exit with 0; `--json` must print one object.
- `make ...` must name a target (`make -n`); `pip install 'unfog[...]'` an extra; `python FILE` a file.
  `git`, `cd`, `source` and what only shows a file are left alone. Anything else fails.
- Python blocks are run too; a later block of a document sees the names of the earlier ones.
- `--data` with a path that does not exist gets a folder of small pictures there, with a class for every label
  that the document asks for, or, for language, texts: the document's own sentences, with summaries. A missing
  `.../model` gets a small model of digits, a missing picture is drawn, a missing text written.

`tests/test_docs.py` runs them.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import runpy
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

SHELLS, PYTHONS = {"console", "bash", "sh", "shell"}, {"python", "py"}
LOOKS = {"git", "cd", "source", "ls", "open", "xdg-open", "start", "cat", "tree", "kill"}
DOWNLOADS = {"fashion-mnist"}  # named sets that would be fetched: the digits stand in for them
CAPTIONED = {"emoji": "emoji-told", "world": "world-told"}  # for those, small pictures with captions
TEXTS = {"quatrains", "synopses", "descriptions"}  # the same for texts: a small table stands in for them
PICTURES = {".png", ".jpg", ".jpeg", ".webp"}

Texts = tuple[list[str], list[str]]
"""Sentences and classes that made-up texts are made of."""

TRAINING = {"train", "finetune", "distil"}
SHORT = ["--steps", "20", "--preset", "tiny", "--samples", "0"]  # enough to keep early weights
CAPS = {"-n": 64, "--steps": 4}


class DocumentError(AssertionError):
    """A command or block of a document that does not work."""


@dataclass(frozen=True)
class Block:
    """One fenced block: language, text, and the line of the document where its text begins."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Command:
    """One command as written, split into words."""

    words: tuple[str, ...]
    line: int


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a Markdown text."""
    pattern = re.compile(r"^[ ]*(`{3,})[ ]*(\w*)[^\n]*\n(.*?)^[ ]*\1[ ]*$", re.MULTILINE | re.DOTALL)
    for found in pattern.finditer(text):
        yield Block(found[2], found[3], text[: found.start(3)].count("\n") + 1)


def commands(block: Block) -> Iterator[Command]:
    """The commands of a shell block, in order; `a && b` and `a; b` are two."""
    prompts = any(line.lstrip().startswith("$ ") for line in block.text.splitlines())
    pending, start = "", 0
    for number, line in enumerate(block.text.splitlines(), block.line):
        stripped = line.strip()
        if not pending:
            if prompts and not stripped.startswith("$ "):
                continue
            stripped, start = stripped.removeprefix("$ "), number
        pending += stripped
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        for words in simple_commands(pending):
            yield Command(tuple(words), start)
        pending = ""


def simple_commands(line: str) -> Iterator[list[str]]:
    """Words of each command of a line, without comments, variables in front, and what a pipe or `>` adds."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    groups: list[list[str]] = [[]]
    quiet = False
    for word in lexer:
        if set(word) <= set(";&"):
            groups.append([])
            quiet = False
        elif set(word) <= set("|<>"):
            quiet = True
        elif not quiet:
            groups[-1].append(word)
    for group in groups:
        while group and re.fullmatch(r"[A-Z_]+=.*", group[0]):
            group = group[1:]
        if group:
            yield group


def option(words: list[str], name: str) -> str | None:
    """The value that follows an option, None when it is not there."""
    for word, value in zip(words, [*words[1:], None], strict=True):
        if word == name:
            return value
        if word.startswith(f"{name}=") and name.startswith("--"):
            return word.split("=", 1)[1]
    return None


def without(words: list[str], *names: str) -> list[str]:
    """The words without some options and their values."""
    kept, skip = [], False
    for word in words:
        if not skip and word not in names and word.split("=", 1)[0] not in names:
            kept.append(word)
        skip = word in names
    return kept


def quick(words: list[str]) -> list[str]:
    """The same command, made short: few steps, few examples, no download, no server."""
    name = words[1] if len(words) > 1 else ""
    shipped = words[2:3] if name in {"sample", "evaluate"} else []  # a model may have the name of a set
    words = ["digits" if word in DOWNLOADS or word.startswith("hub:") else word for word in words]
    words = [CAPTIONED.get(word, word) for word in words]
    words[2:3] = shipped or words[2:3]
    words = [f"{word}.jsonl" if word in TEXTS else word for word in words]
    if words[1:3] == ["data", "get"]:
        return ["unfog", "data", "list"]
    if name == "serve":
        return ["unfog", "serve", "--help"]
    if name == "demo":
        return [*without(words, "--minutes"), "--minutes", "0.05"]
    if name in TRAINING:
        words = ["train.batch=8" if word.startswith("train.batch=") else word for word in words]
        # one process has one precision, and the documents share this one
        words = ["train.precision=no" if word.startswith("train.precision=") else word for word in words]
        return [*without(words, "--minutes", "--steps", "--preset", "--samples"), *SHORT]
    if name == "evaluate":
        words = [*words, *(["-n", "64"] if option(words, "-n") is None else [])]
        words = [*words, *(["--steps", "2"] if option(words, "--steps") is None else [])]
    if name == "likelihood":
        words = [*words, "-n", "2", "--tolerance", "0.01"]
    if name == "steps":
        words = [*words, "-n", "50", "--calls", "3", "--reference", "20", "--no-learn"]
    for option_name, cap in CAPS.items():
        value = option(words, option_name)
        if value is not None and value.isdigit():
            words = [*without(words, option_name), option_name, str(min(int(value), cap))]
    return words


def quick_python(code: str) -> str:
    """The same code with training made short and without downloads, as `quick` does for commands."""
    code = re.sub(rf"\"(?:{'|'.join([*DOWNLOADS, *CAPTIONED])}|hub:[^\"]*)\"", '"digits"', code)
    return re.sub(
        r"\b(?:minutes|steps)=[\d_.]+(?=[^()]*\)\s*(?:#|$))", _short_argument, code, flags=re.MULTILINE
    )


def _short_argument(found: re.Match[str]) -> str:
    before = found.string[: found.start()].rsplit("\n", 1)[-1]
    return 'steps=8, preset="tiny", samples=0' if "train(" in before else "steps=4"


def labels(text: str, kind: str = "pictures") -> list[str]:
    """The labels that a document asks for, so that its made-up pictures, or texts, have them as classes.

    Those that a classifier is asked for are classes of its own data instead.
    """
    asked = [
        option(list(c.words), "--label")
        for b in blocks(text)
        if b.language in SHELLS
        for c in commands(b)
        if option(list(c.words), "--classifier") is None
        if ("write" in c.words) == (kind == "texts")
    ]
    return sorted({label for label in asked if label})


def draw(path: Path, number: int) -> None:
    """One small picture: a disc on a ground, in colours that depend on the number."""
    from PIL import Image, ImageDraw

    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (20, 20), (200, 30 + number * 7 % 200, 90))
    ImageDraw.Draw(picture).ellipse((4, 3 + number % 4, 15, 15), fill=(20, 40, 60 + number * 11 % 190))
    picture.save(path)


def provide_pictures(place: Path, classes: list[str], *, told: bool = False) -> None:
    """A folder of 48 small pictures, unless it is there; a subfolder for each class, if there are any.

    With ``told``, each has a caption.
    """
    if place.exists():
        return
    folders = [place / name for name in [*classes, "others"]] if classes else [place]
    for number in range(48):
        path = folders[number % len(folders)] / f"{number}.png"
        draw(path, number)
        if told:
            path.with_suffix(".txt").write_text(f"a disc, number {number}\n圆 {number}", "utf-8")


def provide_texts(place: Path, sentences: list[str], classes: list[str]) -> None:
    """A table of texts with classes and summaries, or a folder of text files."""
    if place.exists():
        return
    texts = [f"{sentence} {number}" for number in range(3) for sentence in sentences]
    if place.suffix == ".jsonl":
        rows: list[dict[str, str]] = [{"text": text, "summary": text[:12]} for text in texts]
        if place.stem != "synopses":
            named = [*classes, "others"] if classes else ["all"]
            rows = [{"text": text, "label": named[i % len(named)]} for i, text in enumerate(texts)]
        place.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
        return
    place.mkdir(parents=True)
    (place / "notes.txt").write_text("\n\n".join(texts), "utf-8")


def sentences_of(text: str) -> list[str]:
    """Short lines of a document, so that texts made of them have every character that it shows."""
    lines = (line.strip() for line in text.splitlines())
    return sorted({line[:60] for line in lines if len(line) > 8})[:120] + re.findall(
        r'"([^"\n]{3,60})"', text
    )


def provide(
    words: list[str], folder: Path, model: Path, classes: list[str], texts: Texts = (["a text"], [])
) -> None:
    """Make what a command expects to find: pictures or texts for --data, a model, a picture to edit."""
    judged, label = option(words, "--classifier"), option(words, "--label")
    if judged and label and judged != "digits":
        provide_pictures(folder / judged, [label])
    data = option(words, "--data")
    if data and data != "digits":
        if "language" in words or Path(data).stem in TEXTS:
            provide_texts(folder / data, *texts)
        provide_pictures(folder / data, classes, told="text2image" in words or data in CAPTIONED.values())
    source = option(words, "--summarize")
    if source:
        (folder / source).write_text(texts[0][0][:20], "utf-8")
    for word in words[2:]:
        place = folder / word
        if place.name == "model" and not place.exists() and words[1] not in TRAINING:
            shutil.copytree(model, place)
        given = words[1] in {"edit", "upscale"} or words[words.index(word) - 1] in {"--between", "--like"}
        if place.suffix in PICTURES and not place.exists() and given:
            draw(place, 1)


def provide_python(code: str, folder: Path, model: Path, classes: list[str]) -> None:
    """The same for a Python block: `data="..."` and `unfog.load("...")`."""
    for data in re.findall(r"\bdata=\"([^\"]+)\"", code):
        if data != "digits":
            provide_pictures(folder / data, classes)
    for place in re.findall(r"\bload\(\"([^\"]+)\"", code):
        if not (folder / place).exists():
            shutil.copytree(model, folder / place)


def run_unfog(words: list[str], folder: Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, run inside this process to save the start-up."""
    from unfog.cli import main

    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words[1:])
        except SystemExit as stop:
            code = stop.code
    if isinstance(code, str):
        err.write(code)
    return (
        int(isinstance(code, str)) if code is None or isinstance(code, str) else int(code),
        out.getvalue(),
        err.getvalue(),
    )


def check(words: list[str], folder: Path, model: Path, classes: list[str], texts: Texts) -> None:
    """Run or check one command.

    Raises:
        DocumentError: saying what went wrong.
    """
    match words:
        case ["unfog", *_]:
            words = quick(words)
            provide(words, folder, model, classes, texts)
            code, out, err = run_unfog(words, folder)
            if code:
                raise DocumentError(f"exit code {code} from: {shlex.join(words)}\n{out[-2000:]}{err[-2000:]}")
            if "--json" in words and not isinstance(json.loads(out), dict):
                raise DocumentError(f"--json printed no single object: {out[:500]}")
        case ["make", *rest]:
            done = subprocess.run(
                ["make", "-n", *rest], cwd=ROOT, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise DocumentError(done.stderr)
        case ["pip" | "pip3", *rest] | ["python" | "python3", "-m", "pip", *rest]:
            project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            asked = {
                name for word in rest for names in re.findall(r"\[(.*?)\]", word) for name in names.split(",")
            }
            if unknown := asked - set(project["optional-dependencies"]):
                raise DocumentError(f"pyproject.toml has no extra {unknown}")
        case ["python" | "python3" | ".venv/bin/python", "-m", module, *_]:
            if module not in {"unfog", "venv", "pytest"} and not list(
                ROOT.glob(module.replace(".", "/") + "*")
            ):
                raise DocumentError(f"there is no module {module}")
        case ["python" | "python3" | ".venv/bin/python", file, *_]:
            if not (ROOT / file).is_file():
                raise DocumentError(f"there is no file {file}")
        case [name, *_] if name not in LOOKS:
            raise DocumentError(f"unknown command {name!r}: tell check() in {__file__} what to do with it")


def run_document(text: str, name: str, folder: Path, model: Path) -> int:
    """Run all blocks of a document in order; returns how many commands and Python blocks there were.

    Raises:
        DocumentError: naming the document and the line.
    """
    classes, named, said = labels(text), labels(text, "texts"), sentences_of(text)
    names, count = dict[str, Any](), 0
    for block in blocks(text):
        if block.language in PYTHONS:
            count += 1
            script = folder / f".block-{block.line}.py"
            provide_python(block.text, folder, model, classes)
            script.write_text("\n" * (block.line - 1) + quick_python(block.text), encoding="utf-8")
            try:
                with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
                    names = runpy.run_path(str(script), init_globals=names, run_name="__main__")
            except Exception as error:
                raise DocumentError(f"{name}:{block.line}: {type(error).__name__}: {error}") from error
        elif block.language in SHELLS:
            for command in commands(block):
                count += 1
                try:
                    check(list(command.words), folder, model, classes, (said, named))
                except DocumentError as error:
                    raise DocumentError(f"{name}:{command.line}: {error}") from error
    return count
