"""The encoder of the BERT family, for reading prompts with published weights.

Devlin et al. 2018, arXiv 1810.04805. Each layer lets every token look at every other, then works on each by
itself; the sum with what came before is normalised *after* each of the two steps, as in the first transformer
(Vaswani et al. 2017, arXiv 1706.03762). Positions are learned vectors, so there is a longest text. MiniLM
(Wang et al. 2020, arXiv 2002.10957) is such a network, small because it was taught by a large one.

It is here, and not taken from a library, because it is short, starts in no time, and shows what a text
encoder is. Training one is not the point: it only reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.errors import ModelError
from unfog.nets.layers import Linear

_PARTS = {  # of a layer: our name, the published one
    "out": "attention.output.dense",
    "norm_a": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "norm_f": "output.LayerNorm",
}
_STEM = {
    "words.weight": "embeddings.word_embeddings.weight",
    "places.weight": "embeddings.position_embeddings.weight",
    "kinds.weight": "embeddings.token_type_embeddings.weight",
    "norm.weight": "embeddings.LayerNorm.weight",
    "norm.bias": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, kw_only=True)
class BertConfig:
    """Shape of the network.

    Attributes:
        vocabulary: how many tokens there are.
        width: D of a token's state; a multiple of ``heads``.
        depth: layers.
        heads: of attention, in each layer.
        inner: width inside the feed-forward part.
        longest: tokens that it has positions for.
        kinds: kinds of tokens (first or second sentence); all are of the first kind here.
        epsilon: keeps the normalisation from dividing by 0.
    """

    vocabulary: int = 30_522
    width: int = 384
    depth: int = 6
    heads: int = 12
    inner: int = 1536
    longest: int = 512
    kinds: int = 2
    epsilon: float = 1e-12

    @classmethod
    def from_published(cls, values: Mapping[str, Any]) -> BertConfig:
        """From the values of a published config.json.

        Raises:
            ModelError: it describes another kind of network.
        """
        kind = (values.get("model_type"), values.get("hidden_act"), values.get("position_embedding_type"))
        if kind[0] != "bert" or kind[1] != "gelu" or kind[2] not in (None, "absolute"):
            raise ModelError(f"This config.json describes no BERT with exact GELU and learned places: {kind}")
        try:
            return cls(
                vocabulary=values["vocab_size"],
                width=values["hidden_size"],
                depth=values["num_hidden_layers"],
                heads=values["num_attention_heads"],
                inner=values["intermediate_size"],
                longest=values["max_position_embeddings"],
                kinds=values["type_vocab_size"],
                epsilon=values["layer_norm_eps"],
            )
        except KeyError as error:
            raise ModelError(f"The config.json of this BERT lacks {error}.") from None


class BertLayer(nn.Module):
    """Attention and a feed-forward part, each added to what came before and then normalised."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.width
        self.split = (config.heads, width // config.heads)
        self.qkv = Linear(width, 3 * width)
        self.out = Linear(width, width)
        self.norm_a = nn.LayerNorm(width, config.epsilon)
        self.wide = Linear(width, config.inner)
        self.narrow = Linear(config.inner, width)
        self.norm_f = nn.LayerNorm(width, config.epsilon)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """(B, N, D) to (B, N, D); ``seen`` (B, 1, 1, N), bool, says which tokens may be looked at."""
        query, key, value = self.qkv(x).view(*x.shape[:2], 3, *self.split).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        x = self.norm_a(x + self.out(mixed.transpose(1, 2).flatten(2)))
        out: Tensor = self.norm_f(x + self.narrow(F.gelu(self.wide(x))))
        return out


class Bert(nn.Module):
    """Tokens in, a state for each of them out."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.width)
        self.places = nn.Embedding(config.longest, config.width)
        self.kinds = nn.Embedding(config.kinds, config.width)
        self.norm = nn.LayerNorm(config.width, config.epsilon)
        self.layers = nn.ModuleList(BertLayer(config) for _ in range(config.depth))

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """States (B, N, D) of tokens (B, N); mask (B, N), bool, is True where there is one.

        What stands in the empty places of the answer means nothing.
        """
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x: Tensor = self.norm(self.words(tokens) + self.places(places) + self.kinds.weight[0])
        for layer in self.layers:
            x = layer(x, mask[:, None, None])
        return x

    def load_published(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over weights under their published names, with or without 'bert.' in front of them.

        The tensors themselves become the weights, so that the network may be built on the device "meta".

        Raises:
            ModelError: one is missing, or has another shape.
        """
        given = {name.removeprefix("bert."): value for name, value in tensors.items()}
        try:
            found = {ours: given[theirs] for ours, theirs in _STEM.items()}
            for number in range(self.config.depth):
                layer = f"encoder.layer.{number}"
                for kind in ("weight", "bias"):
                    for ours, theirs in _PARTS.items():
                        found[f"layers.{number}.{ours}.{kind}"] = given[f"{layer}.{theirs}.{kind}"]
                    parts = [given[f"{layer}.attention.self.{n}.{kind}"] for n in ("query", "key", "value")]
                    found[f"layers.{number}.qkv.{kind}"] = torch.cat(parts)
            self.load_state_dict(found, assign=True)
        except KeyError as error:
            raise ModelError(f"The weights of this BERT lack {error}.") from None
        except RuntimeError as error:
            raise ModelError(f"The weights of this BERT do not fit its config.json: {error}") from error
