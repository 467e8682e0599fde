"""Readers are trained once for the same texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from unfog.codec.tokens import TokenCodec
from unfog.errors import ModelError
from unfog.evaluate.reader import ReaderConfig
from unfog.evaluate.reader_cache import load_reader, open_reader, save_reader, texts_key

TEXTS = ["abc abc", "cab", "bca bca", "aab"]
CODEC = TokenCodec.learn(TEXTS, "character")
QUICK = ReaderConfig(width=64, depth=1, context=8, batch=4, steps=3)


def test_the_second_opening_reads_what_the_first_trained(tmp_path: Path) -> None:
    calls: list[int] = []

    def seen(done: int, total: int) -> None:
        calls.append(done)

    one, two = (open_reader(TEXTS, CODEC, QUICK, cache=tmp_path, progress=seen) for _ in range(2))
    assert calls == [1, 2, 3]
    assert one.nats(["abc"]) == two.nats(["abc"])
    assert one.describe() == two.describe() and two.config == QUICK


def test_the_key_depends_on_all_that_a_reader_is_made_from() -> None:
    keys = {
        texts_key(TEXTS, CODEC, QUICK, 0),
        texts_key(TEXTS, CODEC, QUICK, 1),
        texts_key(TEXTS[:3], CODEC, QUICK, 0),
        texts_key(["abc abccab", *TEXTS[2:]], CODEC, QUICK, 0),
        texts_key(TEXTS, TokenCodec.learn(TEXTS, "byte"), QUICK, 0),
        texts_key(TEXTS, CODEC, ReaderConfig(), 0),
    }
    assert len(keys) == 6


@pytest.mark.parametrize("ending", [".json", ".safetensors"])
def test_a_damaged_file_is_named_and_made_anew(tmp_path: Path, ending: str) -> None:
    reader = open_reader(TEXTS, CODEC, QUICK, cache=tmp_path)
    save_reader(reader, tmp_path / "one")
    file = tmp_path / f"one{ending}"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(ModelError, match="one"):
        load_reader(tmp_path / "one")


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert open_reader(TEXTS, CODEC, QUICK, cache=tmp_path / "file").learned_from == 3
