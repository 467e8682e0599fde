"""The language recipe's choices: tokens, rows, sizes and settings that follow from the texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.sentences import MOODS, TINY, sentences, write_pairs
from unfog import config as configs
from unfog.errors import ConfigError, DataError, ModelError, TrainError, UnfogError
from unfog.model.vocabulary import tokens_hash
from unfog.process import KEEPS
from unfog.recipes import language
from unfog.recipes.language import CorpusConfig, LanguageConfig
from unfog.recipes.language_run import Texts
from unfog.recipes.listen import Silent


class Hears(Silent):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.said = ""

    def say(self, text: str) -> None:
        self.said += text + "\n"


def config_of(source: Path, *changes: str) -> LanguageConfig:
    """Settings of a small network for a source, with some changed as --set does."""
    values: dict[str, Any] = {"preset": "tiny", "data": {"source": str(source)}}
    return configs.parse(LanguageConfig, configs.override(values, [*TINY[1:], *changes]), "a test")


def prepared(source: Path, *changes: str) -> Texts:
    """The same, ready to be trained."""
    return language.prepare(config_of(source, *changes), Silent())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("床前明月光，疑是地上霜。", "character"),
        ("月がきれいですね", "character"),
        ("나는 학교에 간다", "character"),
        ("The moon is bright.", "bpe"),
        ("Луна светит.", "bpe"),
        ("The word 月 means moon.", "bpe"),
        ("", "bpe"),
    ],
)
def test_characters_are_tokens_where_words_have_no_spaces(text: str, kind: str) -> None:
    assert language.kind_of_tokens([text] * 3) == kind


@pytest.mark.parametrize("kind", ["byte", "character", "bpe"])
def test_every_kind_of_tokens(texts: Path, kind: str) -> None:
    model = prepared(texts, f"data.tokens={kind}").model
    assert model.codec.kind == kind
    assert model.codec.decode(model.codec.encode_text(sentences()[0])) == sentences()[0]
    assert model.spec.tokens == tokens_hash(model.codec.to_json())


def test_held_out_texts_do_not_shape_the_tokens(tmp_path: Path) -> None:
    """Each text has a character of its own; the ones of held-out texts must not be seen."""
    path = tmp_path / "a.txt"
    path.write_text("\n\n".join(f"Text {chr(0x4E00 + i)} is here." for i in range(60)), "utf-8")
    found = prepared(path, "data.tokens=character")
    seen = {i for i in range(60) if not found.model.codec.unseen(found.corpus.texts[i])}
    assert seen == set(found.corpus.train.tolist())


def test_a_context_holds_nearly_all_texts() -> None:
    assert language.context_for(np.full(1000, 37)) == 37
    assert language.context_for(np.array([10] * 999 + [5000])) == 10
    assert language.context_for(np.full(9, 3000)) == language.WIDEST
    assert language.context_for(np.full(9, 2)) == 8


def test_what_the_user_says_wins(texts: Path) -> None:
    changes = ("data.size=20", "network.depth=2", "sampling.sampler=confidence", "process.keep=cosine")
    spec = prepared(texts, *changes).model.spec
    assert (spec.context, spec.network["depth"], spec.network["width"]) == (20, 2, 64)
    assert spec.sampling.sampler == "confidence" and spec.process["keep"] == "cosine"


@pytest.mark.parametrize("preset", language.PRESETS)
def test_every_preset_builds_and_is_larger_than_the_last(texts: Path, preset: str) -> None:
    config = LanguageConfig(preset=preset, data=CorpusConfig(source=str(texts), tokens="byte"))
    count = language.prepare(config, Silent()).model.count_parameters()
    width, depth = language.PRESETS[preset].values()
    assert 8 * width**2 * depth < count < 16 * width**2 * depth + 1000 * width


@pytest.mark.parametrize("keep", KEEPS)
@pytest.mark.parametrize("kind", ["masked", "uniform"])
def test_every_process_is_prepared_with_a_sampler_that_fits(texts: Path, kind: str, keep: str) -> None:
    model = prepared(texts, f"process.kind={kind}", f"process.keep={keep}", "data.tokens=byte").model
    assert model.settings() == model.spec.sampling, "the sampler accepts the process"
    assert len(model.generate(1, steps=1)) == 1


def test_steps_follow_from_the_context() -> None:
    config = LanguageConfig(data=CorpusConfig(source="x"))
    assert language.sampling_for(config, 40, packed=False) == {"sampler": "ancestral", "steps": 40}
    assert language.sampling_for(config, 40, packed=True) == {"sampler": "reading", "steps": 40}
    assert language.sampling_for(config, 4096, packed=False)["steps"] == 256
    uniform = config.model_copy(update={"process": {"kind": "uniform"}})
    assert language.sampling_for(uniform, 40, packed=True) == {"sampler": "uniform", "steps": 80}
    blocks = config.model_copy(update={"network": {"block": 8}})
    for packed in (True, False):
        assert language.sampling_for(blocks, 40, packed=packed) == {"sampler": "reading", "steps": 8}


def test_a_network_with_blocks_reads_texts_whole_as_well_unless_none_shall_be(texts: Path) -> None:
    whole = [prepared(texts, "network.block=4", *more).model.whole for more in ((), ("train.whole=0",))]
    assert whole == [True, False] and prepared(texts).model.whole


@pytest.mark.parametrize(
    ("source", "block", "warned"), [("pairs", 4, True), ("pairs", 0, False), ("texts", 4, False)]
)
def test_who_asks_for_summaries_by_blocks_is_warned(
    source: str, block: int, warned: bool, request: pytest.FixtureRequest
) -> None:
    hears = Hears()
    language.prepare(config_of(request.getfixturevalue(source), f"network.block={block}"), hears)
    assert ("follow their source poorly" in hears.said) is warned


def test_prepare_is_the_same_for_the_same_seed(texts: Path) -> None:
    one, two = (prepared(texts).model.fingerprint() for _ in range(2))
    assert one == two != prepared(texts, "train.seed=1").model.fingerprint()


def test_pairs_with_classes(pairs: Path) -> None:
    spec = prepared(pairs).model.spec
    assert spec.tasks == ("write", "summarize") and spec.classes == tuple(MOODS) and spec.room >= 8
    assert prepared(pairs, "data.classes=false").model.encoder is None


def test_columns_may_be_named_or_left_out(tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "a.jsonl", count=40)
    path.write_text(
        path.read_text("utf-8").replace('"text"', '"long"').replace('"summary"', '"short"'), "utf-8"
    )
    config = config_of(path, "data.text=long", "data.target=short")
    named = {"text": "long", "target": "short"}
    assert config.data.columns() == named | {"cut": "auto", "encoding": "auto"}
    assert language.prepare(config, Silent()).model.spec.tasks == ("write", "summarize")
    spec = prepared(write_pairs(tmp_path / "b.jsonl", count=40), 'data.target=""').model.spec
    assert spec.tasks == ("write",) and spec.room == 0


def test_settled_settings_say_what_followed(texts: Path) -> None:
    config = LanguageConfig(data=CorpusConfig(source=str(texts)), preset="tiny", network={"width": 64})
    ready = language.prepare(config, Silent())
    found = language.settled(config, ready)
    assert found.data.size == ready.model.spec.context and found.train.batch >= language.FEWEST_ROWS
    assert language.settled(found, ready) == found
    assert language.settled(config_of(texts, "train.batch=3"), ready).train.batch == 3


def test_what_was_found_is_told(texts: Path) -> None:
    heard = Hears()
    language.prepare(config_of(texts), heard)
    assert "200 documents" in heard.said and "held out" in heard.said and "tokens: " in heard.said


def test_sources_that_are_cut_are_told(tmp_path: Path) -> None:
    heard = Hears()
    path = write_pairs(tmp_path / "a.jsonl", count=40)
    language.prepare(config_of(path, "data.size=24", "data.tokens=character"), heard)
    assert "longer than a row" in heard.said


def test_one_text_alone_cannot_be_held_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.", "utf-8")
    with pytest.raises(TrainError, match=r"1 document.*--set data.cut=line"):
        prepared(tmp_path / "a.txt", "data.cut=file")


def test_one_enormous_line_is_held_out_in_part(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word " * 20_000, "utf-8")
    found = prepared(tmp_path / "a.txt", "data.tokens=byte")
    assert found.model.spec.packed and len(found.train) > len(found.held_out) > 0
    assert found.model.spec.context == language.WIDEST


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (("data.tokens=words",), ConfigError, "data.tokens"),
        (("data.size=7",), ConfigError, "data.size"),
        (("data.held_out=1",), ConfigError, "data.held_out"),
        (("data.encoding=klingon",), ConfigError, "no encoding 'klingon'"),
        (("data.cuts=line",), ConfigError, "cuts"),
        (("process.kind=maskd",), ModelError, "'masked'"),
        (("process.keep=linaer",), ModelError, "'linear'"),
        (("network.widht=64",), ModelError, "'width'"),
        (("sampling.stepz=3",), ModelError, "'steps'"),
        (("network.width=60",), ConfigError, "multiple of network.head"),
    ],
)
def test_wrong_settings_are_answered_in_words(
    texts: Path, changes: tuple[str, ...], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        prepared(texts, *changes)
    assert len(str(caught.value).splitlines()) <= 2


@pytest.mark.parametrize("wrong", ["sampler=ancestrl", "sampler=uniform", "steps=0", "temperature=warm"])
def test_wrong_sampling_is_refused_before_the_training(texts: Path, wrong: str) -> None:
    with pytest.raises(UnfogError):
        prepared(texts, f"sampling.{wrong}")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty file"),
        (b"Words\0\1\2", "zero byte at offset 5"),
        (b"Plain \xff words", "0xFF at offset 6"),
        (b"\xef\xbb\xbfabc\xfe", "0xFE at offset 6"),
        ("床前明月光".encode("gb18030"), "at offset 0 .it may be gb18030"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, raw: bytes, words: str) -> None:
    (tmp_path / "a.txt").write_bytes(raw)
    with pytest.raises(DataError, match=words):
        prepared(tmp_path / "a.txt")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it is empty"):
        prepared(tmp_path)
