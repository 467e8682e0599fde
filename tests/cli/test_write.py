"""Writing from the command line, what a written file says of itself, and how wrong requests are answered."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.sentences import TINY, sentences
from unfog.cli.app import main
from unfog.cli.choices import TOKEN_SAMPLERS

Caught = pytest.CaptureFixture[str]

SHORT = "A dog sees the moon."


def answered(capsys: Caught, *words: object) -> Any:
    """What a command that works says with --json, which is one object and nothing beside it on stdout."""
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: Caught, *words: object) -> str:
    """What a command says that cannot work: at most two lines, and no traceback."""
    assert main([*map(str, words)]) in (1, 2)
    caught = capsys.readouterr()
    _, mark, text = caught.err.partition("Error: ")  # before it is what was found so far
    assert mark and caught.out == "" and len(text.splitlines()) <= 2
    assert "Traceback" not in caught.err and "This should not happen" not in text
    return text


def test_write_and_repeat(writer: Path, capsys: Caught) -> None:
    one, two = (answered(capsys, "write", writer, "-n", 3, "--seed", 5) for _ in range(2))
    assert one == two and len(one["texts"]) == 3 and one["task"] == "write" and one["seed"] == 5
    assert len(one["model"]) == 64
    assert answered(capsys, "write", writer, "-n", 1, "--seed", 5)["texts"] == one["texts"][:1]
    assert answered(capsys, "write", writer, "-n", 3, "--seed", 6)["texts"] != one["texts"]


def test_people_see_the_texts_alone(writer: Path, capsys: Caught) -> None:
    texts = answered(capsys, "write", writer, "-n", 2)["texts"]
    assert main(["write", str(writer), "-n", "2"]) == 0
    assert capsys.readouterr().out == "\n\n".join(texts) + "\n"


@pytest.mark.parametrize("name", [name for name in TOKEN_SAMPLERS.split(", ") if name != "uniform"])
def test_every_sampler_completes(writer: Path, name: str, capsys: Caught) -> None:
    words = ["--prompt", "The cat", "--sampler", name, "--steps", 4, "--temperature", 0.7, "--top-p", 0.9]
    (text,) = answered(capsys, "write", writer, *words)["texts"]
    assert text.startswith("The cat")


def test_other_settings_by_name(writer: Path, capsys: Caught) -> None:
    words = ["write", writer, "--sampler", "threshold", "--steps", 40, "-n", 4]
    loose, strict = (answered(capsys, *words, "--set", f"tau={tau}")["texts"] for tau in (0.0, 1.0))
    assert loose != strict


def test_fill_in_rewrite_and_summarise(
    writer: Path, summariser: Path, tmp_path: Path, capsys: Caught
) -> None:
    found = answered(capsys, "write", writer, "--infill", "The ___ sees.", "--blank", 3, "-n", 2)
    assert found["task"] == "infill" and all(text.startswith("The ") for text in found["texts"])
    found = answered(capsys, "write", writer, "--rewrite", SHORT, "--strength", 0.01)
    assert found["task"] == "rewrite" and len(found["texts"][0]) == len(SHORT)
    (tmp_path / "a.txt").write_text(SHORT, "utf-8")
    found = answered(capsys, "write", summariser, "--summarize", tmp_path / "a.txt", "-n", 2)
    assert found["task"] == "summarize" and len(found["texts"]) == 2


def test_standard_input_is_summarised(
    summariser: Path, tmp_path: Path, capsys: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give(raw: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), "ascii"))

    (tmp_path / "a.txt").write_text(SHORT, "utf-8")
    wanted = answered(capsys, "write", summariser, "--summarize", tmp_path / "a.txt")["texts"]
    give(f"{SHORT}\n".encode())
    assert answered(capsys, "write", summariser, "--summarize", "-")["texts"] == wanted
    give(b"Plain \xff words")
    assert "byte 6 is 0xff" in refused(capsys, "write", summariser, "--summarize", "-")
    give(b"")
    assert "Standard input is empty" in refused(capsys, "write", summariser, "--summarize", "-")


def test_a_class_is_asked_for(summariser: Path, capsys: Caught) -> None:
    words = ["write", summariser, "-n", 2, "--guidance", 2]
    texts = [answered(capsys, *words, "--label", label)["texts"] for label in ("calm", "0", "loud")]
    assert texts[0] == texts[1]


def test_a_canvas_is_shown_on_stderr(writer: Path, capsys: Caught) -> None:
    wanted = answered(capsys, "write", writer, "--seed", 3, "--prompt", "My ", "--steps", 6)["texts"]
    arguments = ["write", str(writer), "--seed", "3", "--prompt", "My ", "--steps", "6", "--stream", "--json"]
    assert main(arguments) == 0
    caught = capsys.readouterr()
    assert json.loads(caught.out)["texts"] == wanted
    lines = caught.err.splitlines()
    assert lines[0] == "Loading..." and len(lines) == 7 and "\u2591" in lines[1]
    assert all(line.startswith("My") for line in lines[1:])


def test_written_files_say_what_made_them(writer: Path, tmp_path: Path, capsys: Caught) -> None:
    words = [
        "write",
        writer,
        "-n",
        2,
        "--prompt",
        "The cat",
        "--seed",
        9,
        "--steps",
        7,
        "--out",
        tmp_path / "o",
    ]
    found = answered(capsys, *words)
    assert [Path(file).name for file in found["files"]] == ["0000.txt", "0001.txt"]
    assert Path(found["index"]).is_file()
    assert Path(found["files"][1]).read_text("utf-8").startswith(found["texts"][1].rstrip("\n"))
    made = answered(capsys, "inspect", found["files"][1])
    assert made["model"] == found["model"] and made["ai_generated"] is True and made["kind"] == "text"
    assert (made["seed"], made["index"], made["prompt"]) == (9, 1, "The cat")
    assert made["settings"]["steps"] == 7 and made["settings"]["task"] == "complete"
    assert main(["inspect", found["files"][0]]) == 0
    assert "ai_generated: True" in capsys.readouterr().out
    again = answered(capsys, *words)
    assert [Path(file).name for file in again["files"]] == ["0002.txt", "0003.txt"]
    assert again["texts"] == found["texts"]


def test_a_streamed_text_is_kept_too(writer: Path, tmp_path: Path, capsys: Caught) -> None:
    found = answered(capsys, "write", writer, "--stream", "--steps", 2, "--out", tmp_path)
    assert len(found["files"]) == 1


def test_texts_of_others_say_nothing(tmp_path: Path, capsys: Caught) -> None:
    (tmp_path / "a.txt").write_text("Only words.", "utf-8")
    assert "does not say what made it" in refused(capsys, "inspect", tmp_path / "a.txt")
    (tmp_path / "b.txt").write_text("Words\n----\nAI-generated with unfog 1. unfog: {cut", "utf-8")
    assert "provenance" in refused(capsys, "inspect", tmp_path / "b.txt")


def test_a_model_and_a_run_are_inspected(writer: Path, capsys: Caught) -> None:
    assert answered(capsys, "inspect", writer)["finished"] is True
    assert answered(capsys, "inspect", writer / "model")["recipe"] == "language"


@pytest.mark.usefixtures("quick_reader")
def test_evaluate(writer: Path, texts: Path, capsys: Caught) -> None:
    found = answered(capsys, "evaluate", writer, "--data", texts, "-n", 4, "--steps", 3)
    assert found["samples"] == 4 and found["figures"]["samples"] and found["infilling"]
    assert found["bound"]["Bits per character (bound)"]["value"] > 0
    assert found["sampling"]["steps"] == 3


def test_evaluate_summaries(summariser: Path, pairs: Path, capsys: Caught) -> None:
    assert main(["evaluate", str(summariser), "--data", str(pairs), "-n", "4", "--steps", "3"]) == 0
    out = capsys.readouterr().out
    assert "ROUGE-L" in out and "Bits per character" in out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--prompt", "The cat " * 30], "240 tokens.*Give a shorter prompt"),
        (
            ["--prompt", "The \u732b and the \u72d7"],
            "never saw these characters in its training: \u732b \u72d7",
        ),
        (["--infill", "The cat sees"], "no blank"),
        (["--infill", "The ___ cat", "--blank", "0"], "at least 1"),
        (["--infill", "The ___ cat", "--blank", "400"], "shorter blanks"),
        (["--infill", "\u732b ___"], "never saw"),
        (["--infill", "a ___", "--prompt", "b"], "different tasks"),
        (["--infill", "a ___", "--length", "9"], "leave it out with --infill"),
        (["--blank", "3"], "add --infill"),
        (["--label", "calm"], "without classes: leave --label out"),
        (["--sampler", "ancestrl"], "'ancestral'"),
        (["--sampler", "uniform"], "--sampler ancestral"),
        (["--steps", "0"], "at least one"),
        (["--steps", "-3"], "at least one"),
        (["--temperature", "-1"], "0 \\(most likely\\) to 10"),
        (["--temperature", "11"], "0 \\(most likely\\) to 10"),
        (["--temperature", "nan"], "0 \\(most likely\\) to 10"),
        (["--top-p", "0"], "above 0, at most 1"),
        (["--top-p", "1.5"], "above 0, at most 1"),
        (["--top-p", "nan"], "above 0, at most 1"),
        (["--guidance", "2"], "needs a model with classes"),
        (["--guidance", "nan"], "1 is off"),
        (["--length", "1"], "2 to \\d+ tokens"),
        (["--length", "4000"], "network.block=16"),
        (["--rewrite", "A dog", "--strength", "0"], "above 0 to 1"),
        (["--rewrite", "A dog " * 30], "shorter text"),
        (["-n", "0"], "at least one"),
        (["--stream", "-n", "2"], "leave -n out"),
        (["--stream", "--infill", "a ___"], "leave it out here"),
        (["--stream", "--label", "calm"], "leave --label out"),
        (["--set", "stepz=3"], "'steps'"),
        (["--set", "tau=0.5"], "'ancestral' has no setting 'tau'"),
        (["--set", "tau"], "name=value"),
        (["--set", "seed=3"], "no setting 'seed'"),
        (["--set", "prompt=x"], "no setting 'prompt'"),
        (["--set", "progress=1"], "no setting 'progress'"),
        (["--set", "options=1"], "by their names"),
        (["--set", "steps=many"], "at least one"),
        (["--set", "temperature=warm"], "give a number"),
        (["--set", "temperature.low=1"], "nothing inside|give a number"),
        (["--sampler", "threshold", "--set", "tau=2"], "from 0 to 1"),
        (["--sampler", "remask", "--set", "kind=cut"], "'cap'|Known"),
        (["--sampler", "remask", "--set", "eta=NaN"], "0 or more"),
    ],
)
def test_wrong_requests_teach(writer: Path, words: list[str], reason: str, capsys: Caught) -> None:
    text = refused(capsys, "write", writer, *words)
    assert re.search(reason, text, re.DOTALL), text


def test_json_tells_the_reason_too(writer: Path, capsys: Caught) -> None:
    assert main(["write", str(writer), "--steps", "0", "--json"]) == 1
    assert "at least one" in json.loads(capsys.readouterr().out)["error"]


def test_summaries_that_cannot_be(writer: Path, summariser: Path, tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "a.txt"
    path.write_text(SHORT, "utf-8")
    assert "--data synopses" in refused(capsys, "write", writer, "--summarize", path)
    cases = {
        b"": "is empty",
        b"Plain \xff words": "byte 6 is 0xff",
        b"Nobody " * 100: "summarises texts of up to",
        "\u732b".encode(): "never saw",
    }
    for raw, reason in cases.items():
        path.write_bytes(raw)
        assert reason in refused(capsys, "write", summariser, "--summarize", path)
    assert "cannot be read" in refused(capsys, "write", summariser, "--summarize", tmp_path / "none.txt")


def test_classes_that_do_not_exist(summariser: Path, capsys: Caught) -> None:
    assert "'calm'" in refused(capsys, "write", summariser, "--label", "clam")
    assert "no label '7'" in refused(capsys, "write", summariser, "--label", 7)
    assert "1 is off" in refused(capsys, "write", summariser, "--guidance", "inf")


def test_what_is_no_model_of_text(run: Path, writer: Path, tmp_path: Path, capsys: Caught) -> None:
    assert "unfog sample" in refused(capsys, "write", run)
    assert "unfog write" in refused(capsys, "sample", writer, "--out", tmp_path)
    assert "no model.json" in refused(capsys, "write", tmp_path / "missing")


def test_a_file_in_the_way(writer: Path, tmp_path: Path, capsys: Caught) -> None:
    (tmp_path / "out").write_bytes(b"mine")
    assert "a file, not a folder" in refused(capsys, "write", writer, "--steps", 1, "--out", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"mine"


def learn(source: Path, out: Path, *more: str) -> list[str]:
    """The words of a training of one step."""
    words = [
        "train",
        "language",
        "--data",
        str(source),
        "--out",
        str(out),
        "--preset",
        "tiny",
        "--steps",
        "1",
    ]
    return [*words, "--samples", "0", *more]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty file"),
        (b" \n\n \n", "no usable text"),
        (b"Words\0\1\2" * 9, "zero byte at offset 5"),
        (b"Plain \xff words", "byte 0xFF at offset 6"),
        ("\u5e8a\u524d\u660e\u6708\u5149".encode("gb18030"), "at offset 0 (it may be gb18030)"),
        (b"One.", "--set data.cut=line"),
    ],
)
def test_files_to_learn_from_that_cannot_be(tmp_path: Path, raw: bytes, reason: str, capsys: Caught) -> None:
    (tmp_path / "a.txt").write_bytes(raw)
    text = refused(capsys, *learn(tmp_path / "a.txt", tmp_path / "run", "--set", "data.cut=file"))
    assert reason in text
    assert not (tmp_path / "run" / "config.toml").exists(), "a slip leaves no run behind"


def test_folders_to_learn_from_that_cannot_be(tmp_path: Path, capsys: Caught) -> None:
    (tmp_path / "empty").mkdir()
    assert "it is empty" in refused(capsys, *learn(tmp_path / "empty", tmp_path / "run"))
    (tmp_path / "b.txt").write_text("\n\n".join(sentences(9)), "utf-8")
    text = refused(capsys, *learn(tmp_path / "b.txt", tmp_path / "run", "--set", "data.encoding=klingon"))
    assert "no encoding 'klingon'" in text


def test_one_enormous_line_is_learned_from(tmp_path: Path, capsys: Caught) -> None:
    (tmp_path / "a.txt").write_text("word " * 20_000, "utf-8")
    small = [word for setting in (*TINY, "data.size=32") for word in ("--set", setting)]
    assert main(learn(tmp_path / "a.txt", tmp_path / "run", *small)) == 0
    caught = capsys.readouterr()
    assert "held out" in caught.err and "unfog write" in caught.out
