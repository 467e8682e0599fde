"""Requests to write: what fits together, what each returns, and what is told of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from tests.given import knowing, small_writer
from unfog.errors import DataError, SampleError, UsageError
from unfog.output.manuscript import read_manuscript
from unfog.recipes.listen import Silent
from unfog.recipes.write import Wish, check, keep, read_source, source_of, stream, write


class Told(Silent):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, int, int]] = []

    def phase(self, name: str, done: int, total: int) -> None:
        self.phases.append((name, done, total))


@pytest.mark.parametrize(
    ("wish", "task"),
    [
        ({}, "write"),
        ({"prompt": "A"}, "complete"),
        ({"infill": "a ___"}, "infill"),
        ({"summarize": "A"}, "summarize"),
        ({"rewrite": "A"}, "rewrite"),
    ],
)
def test_a_wish_is_one_task(wish: dict[str, Any], task: str) -> None:
    assert Wish(**wish).task == task


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"prompt": "a", "infill": "___"}, "--prompt and --infill are different tasks"),
        ({"summarize": "a", "rewrite": "b"}, "--summarize and --rewrite"),
        ({"n": 0}, "at least one"),
        ({"blank": 0, "infill": "___"}, "at least 1"),
        ({"blank": 3}, "add --infill"),
        ({"length": 9, "infill": "___"}, "leave it out with --infill"),
        ({"length": 9, "rewrite": "a"}, "leave it out with --rewrite"),
    ],
)
def test_what_does_not_fit_together(wish: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Wish(**wish)


def test_every_task_comes_to_the_model_that_can_do_it() -> None:
    model = knowing(small_writer(tasks=("write", "summarize"), room=8), "Nobody.")
    listener = Told()
    assert write(model, Wish(2), {"steps": 3}, listener) == ["Nobody."] * 2
    assert listener.phases[-1] == ("Writing", 3, 3)
    assert write(model, Wish(prompt="My"), {}, Silent()) == ["Mybody."]
    assert write(model, Wish(infill="No___.", blank=4), {}, Silent()) == ["Nobody."]
    assert write(model, Wish(rewrite="My fox.", strength=1.0), {}, Silent()) == ["Nobody."]
    behind = model.layout.beneath("A.").start
    assert write(knowing(model, "Sum", behind), Wish(summarize="A."), {}, Silent()) == ["Sum"]


def test_a_kept_summary_says_by_which_settings_it_was_made(tmp_path: Path) -> None:
    model = small_writer(tasks=("write", "summarize"), room=8)
    saved = keep(model, Wish(summarize="A dog."), {"steps": 4}, ["A fox."], tmp_path)
    entry = read_manuscript(saved.files[0])
    assert entry is not None
    settings = entry.settings
    assert (settings["sampler"], settings["temperature"], settings["steps"]) == ("confidence", 0.3, 4)


def test_a_label_comes_to_the_model() -> None:
    model = small_writer(classes=("calm", "loud"))
    found = write(model, Wish(1, label="loud", seed=3), {"guidance": 2.0}, Silent())
    assert found == model.generate(1, label="loud", seed=3, guidance=2.0)


@pytest.mark.parametrize("wish", [{}, {"infill": "A ___."}, {"rewrite": "A dog."}, {"prompt": "A"}])
def test_a_label_needs_classes(wish: dict[str, Any]) -> None:
    with pytest.raises(SampleError, match=r"without classes: leave --label out\.$"):
        check(small_writer(), Wish(label="calm", **wish), {})
    with pytest.raises(SampleError, match="'calm'"):
        write(small_writer(classes=("calm", "loud")), Wish(label="clam", **wish), {}, Silent())


@pytest.mark.parametrize("name", ["seed", "label", "progress", "prompt", "start", "numbers", "n"])
def test_settings_are_no_back_door(name: str) -> None:
    for each in (write, lambda *args: stream(*args, "_")):
        with pytest.raises(SampleError, match=f"no setting '{name}'"):
            each(small_writer(), Wish(), {name: 3}, Silent())


def test_what_is_streamed_is_what_is_written() -> None:
    model, seen = small_writer(), list[str]()
    for wish in (Wish(seed=4), Wish(prompt="The ", seed=4), Wish(length=9, seed=4)):
        seen.clear()
        assert [stream(model, wish, {"steps": 5}, seen.append, "░")] == write(
            model, wish, {"steps": 5}, Silent()
        )
        assert len(seen) == 5 and seen[0].count("░") >= seen[-1].count("░") == 0


def test_a_canvas_fills_in_before_the_eyes() -> None:
    model, seen = knowing(small_writer(), "The old fox sees."), list[str]()
    stream(model, Wish(prompt="The", seed=1), {"sampler": "confidence", "steps": 24}, seen.append, "░")
    assert all(text.startswith("The") for text in seen) and seen[-1] == "The old fox sees."
    hidden = [text.count("░") for text in seen]
    assert hidden == sorted(hidden, reverse=True) and len(set(hidden)) > 5


def test_a_summary_is_streamed_without_its_source() -> None:
    model, seen = small_writer(tasks=("summarize",), room=8), list[str]()
    knowing(model, "Sum", model.layout.beneath("A dog.").start)
    assert stream(model, Wish(summarize="A dog."), {}, seen.append, "░") == "Sum"
    assert not any("dog" in text for text in seen)


@pytest.mark.parametrize(
    ("wish", "words"),
    [({"infill": "___"}, "leave it out here"), ({"rewrite": "a"}, "leave it out here"), ({"n": 2}, "not 2")],
)
def test_what_cannot_be_streamed(wish: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        stream(small_writer(), Wish(**wish), {}, print, "░")


def test_texts_are_kept_with_what_made_them(tmp_path: Path) -> None:
    model, settings = small_writer(), {"steps": 4, "sampler": "remask", "eta": 0.1}
    wish = Wish(2, rewrite="A dog.", strength=0.4, seed=8)
    texts = write(model, wish, settings, Silent())
    saved = keep(model, wish, settings, texts, tmp_path)
    entry = read_manuscript(saved.files[1])
    assert entry is not None
    assert (entry.model, entry.seed, entry.index, entry.batch_size) == (model.fingerprint(), 8, 1, 2)
    assert entry.prompt == "A dog." and entry.kind == "text" and entry.recipe == "language"
    told = entry.settings
    assert told["steps"] == 4 and told["sampler"] == "remask" and told["options"] == {"eta": 0.1}
    assert told["task"] == "rewrite" and told["strength"] == 0.4


def test_a_source_is_read_without_its_mark_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "源.txt"
    path.write_bytes("\ufeff  第一句。\n\n".encode())
    assert read_source(path) == "第一句。"
    assert source_of(io.BytesIO(b"a b\n"), "Standard input") == "a b"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"Plain \xff words", "byte 6 is 0xff"),
        ("床前".encode("gb18030"), "byte 0 is 0xb4"),
        (b"\xef\xbb\xbfabc\xfe", "byte 6 is 0xfe"),
        (b"a\xe5\xba", "byte 1 is 0xe5"),
        (b"x" * ((4 << 20) + 1), "larger than 4 MB"),
    ],
)
def test_sources_that_cannot_be_read(tmp_path: Path, raw: bytes, words: str) -> None:
    (tmp_path / "a.txt").write_bytes(raw)
    with pytest.raises(DataError, match=f"a.txt .*{words}"):
        read_source(tmp_path / "a.txt")


def test_sources_that_are_no_files(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.txt"):
        with pytest.raises(DataError, match="cannot be read"):
            read_source(path)
