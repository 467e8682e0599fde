"""What learns: plain tensors in, plain tensors out. Each network comes with the dataclass that shapes it."""

from typing import Any

from torch import nn

from unfog.nets.transformer import Transformer, TransformerConfig
from unfog.nets.unet import UNet, UNetConfig

NETWORKS: dict[str, tuple[type[nn.Module], type[Any]]] = {
    "unet": (UNet, UNetConfig),
    "transformer": (Transformer, TransformerConfig),
}

__all__ = ["NETWORKS", "Transformer", "TransformerConfig", "UNet", "UNetConfig"]
