"""Tiny text models with random weights, one of each kind that the library transformers knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

KINDS = ["encoder", "reader and writer", "pair", "writer"]
SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
CORPUS = ["a red apple on a blue plate", "the cat sat on the mat", "two green cubes left of a yellow ball"]
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]


def tiny_tokenizer(closing: bool) -> Any:
    """Words and letters of a few sentences; ``closing`` puts <s> before and </s> after each text."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.BPE(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    words.train_from_iterator(CORPUS, trainers.BpeTrainer(special_tokens=SPECIAL, initial_alphabet=alphabet))
    if closing:
        words.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
        )
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=24, **names)


def tiny_network(kind: str, vocabulary: int) -> Any:
    import transformers as library

    text = {**SIZE, "vocab_size": vocabulary, "max_position_embeddings": 40}
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    if kind == "encoder":  # with the head that it was trained with, as published ones have
        return library.BertForMaskedLM(library.BertConfig(**text))
    if kind == "reader and writer":
        t5 = {
            "d_model": 32,
            "d_ff": 48,
            "d_kv": 16,
            "num_layers": 2,
            "num_heads": 2,
            "vocab_size": vocabulary,
        }
        return library.T5ForConditionalGeneration(library.T5Config(**t5, **ends))
    if kind == "pair":
        picture = {**SIZE, "image_size": 8, "patch_size": 4}
        config = library.CLIPConfig(text_config={**text, **ends}, vision_config=picture, projection_dim=16)
        return library.CLIPModel(config)
    return library.Qwen2ForCausalLM(library.Qwen2Config(**text, **ends, num_key_value_heads=1))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``tiny_model(kind)`` is the folder of a saved model; made once."""
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        pytest.importorskip("transformers", reason="pip install 'unfog[text]'")
        if kind not in made:
            torch.manual_seed(0)
            folder = tmp_path_factory.mktemp("models") / kind
            tokenizer = tiny_tokenizer(closing=kind != "writer")
            tokenizer.save_pretrained(folder)
            network = tiny_network(kind, len(tokenizer)).eval()
            for parameter in network.parameters():
                torch.nn.init.normal_(parameter, std=0.2)
            network.save_pretrained(folder)
            made[kind] = folder
        return made[kind]

    return make
