"""What learns: plain tensors in, plain tensors out. Each network comes with the dataclass that shapes it."""

from typing import Any

from torch import nn

from unfog.nets.joint import JointTransformer, JointTransformerConfig
from unfog.nets.text import TextTransformer, TextTransformerConfig
from unfog.nets.transformer import Transformer, TransformerConfig
from unfog.nets.unet import UNet, UNetConfig

NETWORKS: dict[str, tuple[type[nn.Module], type[Any]]] = {
    "unet": (UNet, UNetConfig),
    "transformer": (Transformer, TransformerConfig),
    "joint": (JointTransformer, JointTransformerConfig),
}
"""Networks for pictures, (B, C, H, W) in and out."""

TEXT_NETWORKS: dict[str, tuple[type[nn.Module], type[Any]]] = {
    "text": (TextTransformer, TextTransformerConfig),
}
"""Networks for text: tokens (B, L) in, logits (B, L, K) out."""

__all__ = [
    "NETWORKS",
    "TEXT_NETWORKS",
    "JointTransformer",
    "JointTransformerConfig",
    "TextTransformer",
    "TextTransformerConfig",
    "Transformer",
    "TransformerConfig",
    "UNet",
    "UNetConfig",
]
