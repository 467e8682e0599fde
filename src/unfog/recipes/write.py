"""Writing with a model: one request of any kind, its texts, and what they say about how they were made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from unfog.errors import DataError, SampleError, UsageError
from unfog.model.text import TextModel
from unfog.output.provenance import Provenance
from unfog.output.writings import SavedTexts, save_texts
from unfog.recipes.listen import Listener

LARGEST = 4 << 20  # bytes of a text to summarise: far more than any model sees at once


@dataclass(frozen=True)
class Wish:
    """What is to be written: at most one of ``prompt``, ``infill``, ``summarize`` and ``rewrite``.

    Attributes:
        n: how many texts.
        prompt: what they begin with.
        infill: a text with blanks, "a ___ b".
        blank: tokens in each blank; free when None.
        summarize: a text to say in short.
        rewrite: a text to forget in part and write anew.
        strength: how much of it to forget.
        label: a class.
        length: tokens of the canvas.
        seed: of the request.
    """

    n: int = 1
    prompt: str | None = None
    infill: str | None = None
    blank: int | None = None
    summarize: str | None = None
    rewrite: str | None = None
    strength: float = 0.5
    label: str | None = None
    length: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        asked = [
            name for name in ("prompt", "infill", "summarize", "rewrite") if getattr(self, name) is not None
        ]
        if len(asked) > 1:
            raise UsageError(f"--{asked[0]} and --{asked[1]} are different tasks: give one of them.")
        if self.n < 1:
            raise UsageError(f"{self.n} texts: ask for at least one, -n 1.")
        if self.blank is not None and self.blank < 1:
            raise UsageError(f"Blanks of {self.blank} tokens: give at least 1, or leave --blank out.")
        if self.blank is not None and self.infill is None:
            raise UsageError('--blank is the length of blanks: add --infill "a ___ b".')
        if self.length is not None and asked and asked != ["prompt"]:
            raise UsageError(f"--length is for new texts: leave it out with --{asked[0]}.")

    @property
    def task(self) -> str:
        """In one word."""
        asked = ("infill", "summarize", "rewrite", "prompt")
        found = next((name for name in asked if getattr(self, name) is not None), "")
        return {"prompt": "complete", "": "write"}.get(found, found)


def write(model: TextModel, wish: Wish, settings: dict[str, Any], listener: Listener) -> list[str]:
    """The texts of a request.

    Raises:
        SampleError: if the model cannot do it, in words.
    """

    def told(done: int, total: int) -> None:
        listener.phase("Writing", done, total)

    settings = check(model, wish, settings)
    common: dict[str, Any] = {"label": wish.label, "seed": wish.seed, "progress": told, **settings}
    if wish.infill is not None:
        return model.infill(wish.infill, wish.n, blank=wish.blank, **common)
    if wish.summarize is not None:
        return model.summarize(wish.summarize, wish.n, **common)
    if wish.rewrite is not None:
        return model.rewrite(wish.rewrite, wish.strength, wish.n, **common)
    return model.generate(wish.n, prompt=wish.prompt or "", length=wish.length, **common)


def check(model: TextModel, wish: Wish, settings: dict[str, Any]) -> dict[str, Any]:
    """Refuse what the model cannot do before anything is written.

    Returns:
        The settings, with those that suit the task where nothing is asked for.

    Raises:
        SampleError: in words.
    """
    settings = settings if wish.summarize is None else model.for_summary(**settings)
    model.settings(**settings)
    if wish.label is not None and not model.spec.classes:
        raise SampleError("This model was trained without classes: leave --label out.")
    return settings


def stream(
    model: TextModel, wish: Wish, settings: dict[str, Any], show: Callable[[str], None], hidden: str
) -> str:
    """Write one text, and show the canvas after each step.

    Args:
        model: what writes.
        wish: a prompt, a text to summarise, or nothing.
        settings: fields of ``Writing`` to change.
        show: is given the canvas.
        hidden: what a hidden token looks like.

    Returns:
        The text.

    Raises:
        UsageError: if several are asked for, or blanks are to be filled or a text rewritten.
        SampleError: if the model cannot do it, in words.
    """
    if wish.infill is not None or wish.rewrite is not None:
        raise UsageError("--stream shows writing, completing and summarising; leave it out here.")
    if wish.n > 1:
        raise UsageError(f"--stream shows one text, not {wish.n}: leave -n out.")
    settings = check(model, wish, settings)
    if wish.summarize is not None:
        model.check_task("summarize")
        canvas = model.layout.beneath(wish.summarize)
    else:
        canvas = model.layout.beginning(wish.prompt or "", model.length(wish.length))
    labels = model.choose_labels(1, wish.label)
    row = canvas.tokens
    for _, _, step in model.walk([0], [canvas], labels, seed=wish.seed, writing=model.settings(**settings)):
        row = step.x_s[0]
        show(model.codec.decode(row[canvas.start :], hidden=hidden))
    return model.codec.decode(row[canvas.start :])


def keep(model: TextModel, wish: Wish, settings: dict[str, Any], texts: list[str], out: Path) -> SavedTexts:
    """Write texts into a folder, each with what made it."""
    settings = check(model, wish, settings)
    chosen, fingerprint = asdict(model.settings(**settings)), model.fingerprint()
    asked = {"task": wish.task, "strength": wish.strength} if wish.rewrite else {"task": wish.task}
    prompt = wish.prompt or wish.infill or wish.rewrite
    entries = [
        Provenance(
            model=fingerprint,
            recipe="language",
            kind="text",
            seed=wish.seed,
            index=number,
            batch_size=len(texts),
            label=wish.label,
            prompt=prompt,
            settings={**chosen, **asked},
        )
        for number in range(len(texts))
    ]
    return save_texts(out, texts, entries)


def read_source(path: Path) -> str:
    """A text file to summarise.

    Raises:
        DataError: if it cannot be read, is empty, or is no text; with the offset of the first wrong byte.
    """
    try:
        with path.open("rb") as file:
            return source_of(file, str(path))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None


def source_of(file: BinaryIO, name: str) -> str:
    """The text in an open file; ``name`` is what errors call it, and they are those of ``read_source``."""
    raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise DataError(f"{name} is larger than 4 MB: no model sees so much at once. Give a part of it.")
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff").strip()  # a byte order mark counts as bytes
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not UTF-8 text: byte {error.start} is 0x{raw[error.start]:02x}. Convert it first."
        ) from None
    if not text:
        raise DataError(f"{name} is empty. Give a text to summarise.")
    return text
