"""BERT against the published implementation, with random weights, where that is installed."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from unfog.errors import ModelError
from unfog.nets.bert import Bert, BertConfig

TINY = BertConfig(vocabulary=50, width=24, depth=2, heads=3, inner=40, longest=16)
PUBLISHED = {
    "model_type": "bert",
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
}


def test_the_published_network_says_the_same() -> None:
    transformers: Any = pytest.importorskip("transformers")
    config = transformers.BertConfig(**PUBLISHED)
    theirs = transformers.BertModel(config).eval()
    for parameter in theirs.parameters():  # fresh ones are too regular: all norms 1, all biases 0
        torch.nn.init.normal_(parameter, std=0.3)
    ours = Bert(BertConfig.from_published(json.loads(config.to_json_string(use_diff=False)))).eval()
    ours.load_published({f"bert.{name}": value for name, value in theirs.state_dict().items()})
    tokens, mask = torch.randint(50, (3, 9)), torch.arange(9) < torch.tensor([9, 4, 1])[:, None]
    with torch.no_grad():
        wanted = theirs(input_ids=tokens, attention_mask=mask.long()).last_hidden_state
        assert torch.allclose(ours(tokens, mask)[mask], wanted[mask], atol=1e-5)


def test_empty_places_do_not_count() -> None:
    bert, tokens = Bert(TINY).eval(), torch.randint(50, (1, 5))
    with torch.no_grad():
        alone = bert(tokens, torch.ones(1, 5, dtype=torch.bool))
        longer = torch.cat([tokens, torch.randint(50, (1, 4))], 1)
        together = bert(longer, torch.arange(9)[None] < 5)
    assert torch.allclose(alone, together[:, :5], atol=1e-5)


@pytest.mark.parametrize("change", [{"model_type": "roberta"}, {"hidden_act": "relu"}])
def test_another_network_is_not_taken_for_this_one(change: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="no BERT"):
        BertConfig.from_published(PUBLISHED | change)


def test_weights_that_do_not_fit() -> None:
    with pytest.raises(ModelError, match=r"lack 'embeddings\.word"):
        Bert(TINY).load_published({})
    with pytest.raises(ModelError, match="lacks 'vocab_size'"):
        BertConfig.from_published({name: PUBLISHED[name] for name in ("model_type", "hidden_act")})
