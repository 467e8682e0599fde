"""MiniLM: the figures that its makers' library gives, and its files when they are damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from torch.nn import functional as F

from unfog.condition.minilm import MiniLM
from unfog.data.cache import cache_folder
from unfog.data.named import NAMED
from unfog.errors import DataError, ModelError

REAL_CACHE = cache_folder()  # before the tests move it
SHAPE = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
PLACES = {"vocab_size": 9, "max_position_embeddings": 8, "type_vocab_size": 2, "layer_norm_eps": 1e-12}
PUBLISHED = {"model_type": "bert", "hidden_act": "gelu", **SHAPE, **PLACES}


@pytest.mark.skipif(not NAMED["minilm"].installed(REAL_CACHE), reason="unfog data get minilm was not run")
def test_what_is_alike() -> None:
    language = MiniLM(cache=REAL_CACHE)
    assert language.width == 384 and language.longest == 128
    texts = ["a red apple", "a photo of an apple", "an apple", "a photo of an airplane"]
    vectors = F.normalize(language.read(texts).whole(), dim=1)
    assert vectors[0] @ vectors[1] == pytest.approx(0.70, abs=0.005)
    assert vectors[2] @ vectors[3] == pytest.approx(0.21, abs=0.005)
    assert language.count(["a red apple", "word " * 300]) == [5, 302]
    assert language.unknown(["a red apple", "红苹果", "a red apple 红", "红苹果 a", ""]) == 2
    assert MiniLM(longest=9_999, cache=REAL_CACHE).longest == 512


def test_weights_that_are_not_here_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unfog data get minilm"):
        MiniLM(cache=tmp_path)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_bytes(b"torn")
    with pytest.raises(ModelError, match=r"damaged.*data get minilm"):
        MiniLM(folder=tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(PUBLISHED))
    language = MiniLM(folder=tmp_path)
    assert language.width == language.longest == 8
    with pytest.raises(ModelError, match="damaged"):
        language.read(["a"])
    with pytest.raises(ModelError, match="damaged"):
        _ = language._bert


def test_fingerprints_are_of_the_files(tmp_path: Path) -> None:
    for name in ("tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "config.json").write_text(json.dumps(PUBLISHED))
    first = MiniLM(folder=tmp_path).fingerprint
    assert MiniLM(folder=tmp_path).fingerprint == first != MiniLM(longest=4, folder=tmp_path).fingerprint
    (tmp_path / "model.safetensors").write_bytes(b"other")
    assert MiniLM(folder=tmp_path).fingerprint != first
