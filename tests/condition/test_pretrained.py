"""Text models of transformers: four kinds, made on the spot, against what the library itself says."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.condition.conftest import KINDS
from unfog.condition.language import open_language
from unfog.condition.pretrained import Pretrained
from unfog.errors import MissingExtra, ModelError

TEXTS = ["a red apple", "the cat sat on two green cubes", "苹果"]
Tiny = Callable[[str], Path]


@torch.no_grad()
def published(kind: str, folder: Path, text: str) -> torch.Tensor:
    """The states of one text, by the class that the makers of the model would use."""
    library: Any = importlib.import_module("transformers")
    names = {"encoder": "BertModel", "reader and writer": "T5EncoderModel", "pair": "CLIPTextModel"}
    network = getattr(library, names.get(kind, "Qwen2Model")).from_pretrained(folder).eval()
    tokens = library.AutoTokenizer.from_pretrained(folder)([text], return_tensors="pt")["input_ids"]
    states: torch.Tensor = network(input_ids=tokens).last_hidden_state[0]
    return states


@pytest.mark.parametrize("kind", KINDS)
def test_the_states_are_those_of_the_library(kind: str, tiny_model: Tiny) -> None:
    language = Pretrained(str(tiny_model(kind)))
    words = language.read(TEXTS)
    assert language.width == 32 and language.longest == 24
    for text, states, mask in zip(TEXTS, words.states, words.mask, strict=True):
        assert torch.allclose(states[mask], published(kind, tiny_model(kind), text)[:24], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_where_tokens_look_back_only_the_last_one_stands_for_all(kind: str, tiny_model: Tiny) -> None:
    words = Pretrained(str(tiny_model(kind))).read(TEXTS)
    assert (words.pooled is not None) == (kind in {"pair", "writer"})
    if words.pooled is not None:
        for states, mask, whole in zip(words.states, words.mask, words.pooled, strict=True):
            assert torch.equal(states[mask][-1], whole)


@pytest.mark.parametrize("kind", KINDS)
def test_long_texts_are_cut_and_counted(kind: str, tiny_model: Tiny) -> None:
    language = Pretrained(str(tiny_model(kind)), longest=6)
    long = "apple " * 2000
    words = language.read([long, "cat"])
    assert words.mask[0].sum() == 6 and language.cut([long, "cat", ""]) == 1
    if kind != "writer":  # the token that closes a text is kept
        assert language._tokenizer(["cat"])["input_ids"][0][-1] == language._tokenizer.eos_token_id
        closed = Pretrained(str(tiny_model(kind)), longest=6)._rows(["apple"])[0][-1]
        assert closed == language._tokenizer.eos_token_id


def test_a_text_without_tokens_says_nothing(tiny_model: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    language = Pretrained(str(tiny_model("writer")))
    monkeypatch.setattr(language, "_rows", lambda texts: [[]] * len(texts))
    words = language.read(["\u200b"])
    assert not words.present.any() and words.states.isfinite().all()


def test_the_fingerprint_is_that_of_weights_and_length(tiny_model: Tiny, tmp_path: Path) -> None:
    folder = tiny_model("encoder")
    first = Pretrained(str(folder)).fingerprint
    assert Pretrained(str(shutil.copytree(folder, tmp_path / "b"))).fingerprint == first
    assert Pretrained(str(folder), longest=5).fingerprint != first
    assert Pretrained(str(tiny_model("writer"))).fingerprint != first
    raw = bytearray((tmp_path / "b" / "model.safetensors").read_bytes())
    raw[-1] ^= 1
    (tmp_path / "b" / "model.safetensors").write_bytes(raw)
    assert Pretrained(str(tmp_path / "b")).fingerprint != first
    with pytest.raises(ModelError, match="not the one that is wanted"):
        open_language(str(tmp_path / "b"), fingerprint=first)


def test_pickles_are_refused(tiny_model: Tiny, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model("encoder"), tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    torch.save(weights, folder / "pytorch_model.bin")  # sound, and refused all the same
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="only pickled weights, which can run code"):
        open_language(str(folder))
    shutil.copy(tiny_model("encoder") / "model.safetensors", folder / "other.safetensors")
    with pytest.raises(ModelError, match="cannot be used as a language model"):
        open_language(str(folder)).read(["a"])


def test_code_of_a_model_is_not_run(tiny_model: Tiny, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model("encoder"), tmp_path / "m")
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(
        text.replace('"model_type": "bert"', '"model_type": "odd", "auto_map": {"AutoConfig": "evil.Config"}')
    )
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')")
    with pytest.raises(ModelError, match="cannot be used as a language model"):
        open_language(str(folder))
    assert not (tmp_path / "run").exists()


def test_folders_that_are_no_text_model(tiny_model: Tiny, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no readable config\.json"):
        open_language(str(tmp_path))
    library: Any = importlib.import_module("transformers")
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    library.ViTModel(library.ViTConfig(**size, image_size=8, patch_size=4)).save_pretrained(tmp_path / "vit")
    with pytest.raises(ModelError, match=r"vit' cannot be used as a language model: .+\nGive a text model"):
        open_language(str(tmp_path / "vit"))


def test_weights_of_another_model(tiny_model: Tiny, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model("encoder"), tmp_path / "m")
    shutil.copy(tiny_model("writer") / "model.safetensors", folder)
    with pytest.raises(ModelError, match=r"it lacks \d+ weights"):
        open_language(str(folder)).read(["a"])
    (folder / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(ModelError, match="cannot be used as a language model"):
        open_language(str(folder)).read(["a"])


def test_a_hub_out_of_reach() -> None:
    pytest.importorskip("transformers")
    with pytest.raises(ModelError, match=r"'hub:nobody/nothing' cannot be fetched.*\n.*HF_ENDPOINT"):
        open_language("hub:nobody/nothing")
    with pytest.raises(ModelError, match="Write hub:OWNER/NAME"):
        open_language("hub:a b")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"'transformers'.*unfog\[text\]"):
        open_language(str(tmp_path))
