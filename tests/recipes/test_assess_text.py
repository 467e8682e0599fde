"""Figures of a model of text, against what is known about it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unfog
from tests.given import knowing, small_writer
from tests.sentences import TINY, sentences, write_pairs, write_sentences
from unfog.data import open_corpus
from unfog.errors import DataError, SampleError, UsageError
from unfog.model import load_text
from unfog.recipes import assess_text
from unfog.recipes.assess import trained_on
from unfog.recipes.assess_text import (
    bound_of,
    corpus_of,
    evaluate_text,
    fill_in,
    judge,
    measure_bound,
    measure_bounds,
    ratio,
    summaries,
)
from unfog.recipes.language_rows import Tokenised
from unfog.recipes.listen import Silent
from unfog.rng import Noise
from unfog.train.rows import lay


def clueless(**changes: Any) -> Any:
    """A model to which all tokens are alike."""
    if changes.get("network"):
        model = small_writer(context=64, **changes)
        torch.nn.init.zeros_(model.denoiser.network.stem.weight)  # it names tokens, too
        return model
    model = knowing(small_writer(context=64, **changes), "")
    model.denoiser.network.logits.data.zero_()
    return model


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"network": {"block": 16}},
        {"network": {"block": 16, "whole": True}},
        {"process": {"keep": "cosine"}},
    ],
)
def test_the_bound_of_a_model_without_a_clue(changes: dict[str, Any]) -> None:
    """Each free token costs log(K - 1), whatever it is: what is fixed costs nothing."""
    model = clueless(**changes)
    x = torch.randint(0, model.codec.mask, (200, 48))
    fixed = torch.arange(48).expand(200, -1) < 8
    found = bound_of(model, x, fixed, 16, Noise(0))
    assert found.shape == (200,)
    assert float(found.mean()) == pytest.approx(40 * math.log(model.codec.mask), rel=0.01)


def test_a_model_that_reads_both_ways_has_a_bound_of_each(texts: Path) -> None:
    model, corpus = small_writer(context=64, network={"block": 8, "whole": True}), open_corpus(texts)
    rows = Tokenised.of(corpus, model.codec).rows(corpus.held_out, 64, "whole")
    found = measure_bounds(model, corpus, rows, Silent())
    one, other = found["Bits per byte (bound)"], found["Bits per byte (bound, read whole)"]
    assert one.n == other.n and one.value and other.value and one.value != other.value


def test_bits_are_counted_for_what_the_rows_hold(texts: Path) -> None:
    model, corpus = clueless(), open_corpus(texts)
    rows = Tokenised.of(corpus, model.codec).rows(corpus.held_out, 64, "whole")
    found = measure_bound(model, corpus, rows, Silent())
    letters = sum(len(corpus.texts[i]) for i in corpus.held_out)
    bits = float((rows.stop - rows.start).sum()) * math.log2(model.codec.mask)
    per_letter = found["Bits per character (bound)"]
    assert per_letter.value == pytest.approx(bits / letters, rel=0.02) and per_letter.n == len(rows)
    assert found["Bits per byte (bound)"].value == per_letter.value, "these letters have one byte each"


def test_a_character_of_three_bytes_has_three_bytes(tmp_path: Path) -> None:
    from unfog.codec import TokenCodec

    (tmp_path / "a.txt").write_text("\n\n".join(f"{chr(0x4E00 + i)}床前明月光" for i in range(40)), "utf-8")
    corpus = open_corpus(tmp_path / "a.txt")
    model = small_writer(codec=TokenCodec.learn(list(corpus.texts)))
    rows = Tokenised.of(corpus, model.codec).rows(corpus.held_out, 24, "whole")
    found = measure_bound(model, corpus, rows, Silent())
    letter, byte = (found[f"Bits per {what} (bound)"].value for what in ("character", "byte"))
    assert letter is not None and byte is not None and letter == pytest.approx(3 * byte)


def test_a_trained_model_is_better_than_one_without_a_clue(writer: Path, texts: Path) -> None:
    model, corpus = load_text(writer), open_corpus(texts)
    rows = Tokenised.of(corpus, model.codec).rows(corpus.held_out, model.spec.context, "whole")
    value = measure_bound(model, corpus, rows, Silent())["Perplexity of a token (bound)"].value
    assert value is not None and 1 < value < model.codec.vocabulary / 2


def test_a_ratio_of_sums_and_its_interval() -> None:
    """The interval holds the true ratio in about 95 of 100 draws."""
    rng, inside = np.random.default_rng(0), 0
    for _ in range(300):
        sizes = rng.integers(5, 50, 200).astype(np.float64)
        found = ratio(2.5 * sizes + rng.normal(0, 10, 200), sizes)
        assert found.low is not None and found.high is not None and found.low < found.high
        inside += found.low <= 2.5 <= found.high
    assert 0.9 < inside / 300 < 0.99
    assert ratio(np.array([1.0, 3.0]), np.array([1.0, 1.0])).value == 2.0
    assert ratio(np.array([3.0]), np.array([2.0])).value == 1.5


def test_blanks_of_a_text_that_is_known_are_all_right() -> None:
    model = small_writer()
    text = np.array(model.codec.encode_text("My sister hides."))
    rows = lay([text] * 30, 24, model.codec.end, "whole")
    knowing(model, "My sister hides.", int((rows.tokens[0] == text[0]).argmax()))
    assert [figure.value for figure in fill_in(model, rows)] == [1.0] * assess_text.BLANK
    assert all(figure.value == 0.0 for figure in fill_in(knowing(model, "#" * 24, 0), rows))


def test_copies_of_the_training_texts_are_called_copies(texts: Path) -> None:
    model, corpus = small_writer(), open_corpus(texts)
    copies = [corpus.texts[i] for i in corpus.train[:20]]
    here = judge(copies, corpus, model, Silent(), read=False).to_dict()
    new = judge(["Bread! " * 5] * 20, corpus, model, Silent(), read=False).to_dict()
    name = next(
        name for name in here["samples"] if "copied" in name and here["samples"][name]["value"] == 1.0
    )
    assert new["samples"][name]["value"] == 0.0


@pytest.mark.usefixtures("quick_reader")
def test_evaluate_repeats_itself(writer: Path, texts: Path) -> None:
    model = load_text(writer)
    one, two = (evaluate_text(model, texts, 6, settings={"steps": 2}, seed=3) for _ in range(2))
    assert one.rows == two.rows and one.values["bound"] == two.values["bound"]
    assert one.values["samples"] == 6 and one.values["sampling"]["steps"] == 2
    assert all(len(row) == 5 for row in one.rows) and not any("another content" in n for n in one.notes)
    assert one.rows[0][0] == "Bits per character (bound)"


@pytest.mark.usefixtures("quick_reader")
def test_other_texts_are_noted(writer: Path, tmp_path: Path) -> None:
    other = write_sentences(tmp_path / "other.txt", count=100, seed=9)
    found = evaluate_text(load_text(writer), other, 2, settings={"steps": 1})
    assert any("not exactly the texts" in note for note in found.notes)


def test_summaries_are_compared_with_the_wanted_ones(summariser: Path, pairs: Path) -> None:
    found = evaluate_text(load_text(summariser), pairs, 5, settings={"steps": 3})
    assert found.values["samples"] == 5 and len(found.values["examples"]) == 5
    assert set(found.values["rouge"]) == set(found.values["rouge_lead"])
    assert any(row[0].startswith("ROUGE-1") for row in found.rows)
    for example in found.values["examples"]:
        assert example["source"].startswith(example["wanted"])


def test_each_summary_is_asked_for_with_its_own_class(
    summariser: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, corpus, asked = load_text(summariser), open_corpus(pairs), list[Any]()
    wanted = [corpus.targets[i] for i in corpus.held_out] if corpus.targets else []

    def write(canvases: list[Any], *, label: Any, **rest: Any) -> list[str]:
        asked.extend(label)
        return wanted[: len(canvases)]

    monkeypatch.setattr(model, "write", write)
    values, _ = summaries(model, corpus, 1000, 0, {}, Silent())
    assert corpus.labels is not None and asked == corpus.labels[corpus.held_out].tolist()
    assert values["samples"] == len(corpus.held_out) and values["too_long"] == 0
    assert values["rouge"]["rouge1"]["value"] == 1.0 > values["rouge_lead"]["rouge1"]["value"]


def test_texts_that_are_all_too_long_to_summarise(tmp_path: Path) -> None:
    corpus = open_corpus(write_pairs(tmp_path / "a.jsonl", count=40))
    model = small_writer(tasks=("write", "summarize"), room=8)
    with pytest.raises(DataError, match=r"All 6 held-out texts have more than 15 tokens.*--set data.size"):
        summaries(model, corpus, 10, 0, {}, Silent())


def test_other_classes_are_refused(summariser: Path, tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "a.jsonl", count=40)
    path.write_text(path.read_text("utf-8").replace('"calm"', '"wild"'), "utf-8")
    with pytest.raises(DataError, match=r"wild.*trained on calm, loud"):
        evaluate_text(load_text(summariser), path, 2)


def test_what_cannot_be_measured_is_refused_at_once(writer: Path, texts: Path, tmp_path: Path) -> None:
    model = load_text(writer)
    with pytest.raises(UsageError, match="0 texts"):
        evaluate_text(model, texts, 0)
    with pytest.raises(SampleError, match="'steps'"):
        evaluate_text(model, tmp_path / "not even looked at", 1, settings={"stepz": 2})
    (tmp_path / "one.txt").write_text(sentences()[0], "utf-8")
    with pytest.raises(DataError, match="none of which could be held out"):
        evaluate_text(model, tmp_path / "one.txt", 1)


def test_texts_are_split_as_they_were_for_training(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(sentences(60)), "utf-8")
    settings = (*TINY, "data.cut=line")
    model = unfog.train("language", path, tmp_path / "run", steps=1, samples=0, settings=settings)
    assert corpus_of(model, path, Silent()).digest == trained_on(model)["digest"]
