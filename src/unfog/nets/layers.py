"""The few parts that the networks share: initialisation, the embedding of the noise level, attention."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unfog.errors import ConfigError

AnyModule = TypeVar("AnyModule", bound=nn.Module)


def zeroed(module: AnyModule) -> AnyModule:
    """Start a layer at 0, so that a residual branch begins as "do nothing" and training is stable at once."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def group_norm(width: int) -> nn.GroupNorm:
    """Normalisation of groups of about 16 channels, for any width."""
    groups = max(1, width // 16)
    while width % groups:
        groups -= 1
    return nn.GroupNorm(groups, width)


def check_settings(config: Any, *names: str, place: str = "network") -> None:
    """Refuse settings of a network that have to be whole numbers above 0 and are not, and odd switches.

    Args:
        config: with ``dropout``, and with the settings named.
        names: of whole numbers above 0.
        place: what stands before their names in a message.

    Raises:
        ConfigError: naming the setting.
    """
    for name in ("variance", "position"):
        if not isinstance(value := getattr(config, name, False), bool):
            raise ConfigError(f"{place}.{name} = {value!r}: give true or false.")
    if not 0 <= config.dropout < 1:
        raise ConfigError(f"{place}.dropout = {config.dropout!r}: give a share from 0 to below 1.")
    detail = getattr(config, "detail", 0)
    if not isinstance(detail, int) or isinstance(detail, bool) or not 0 <= detail <= 6:
        raise ConfigError(f"{place}.detail = {detail!r}: give a number of sizes, at most 6, or 0 for none.")
    for name in names:
        values = getattr(config, name)
        for value in values if isinstance(values, tuple) else (values,):
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f"{place}.{name} = {values!r}: give whole numbers above 0.")


ROWS = 16  # in these steps oneDNN takes rows; and below FEWEST of them it is slower than it is faster above
FEWEST = 512
ONEDNN = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]  # missing in its stubs


class Linear(nn.Linear):
    """A linear layer that ordinary processors compute as a convolution of 1 x 1, which is the same sum.

    torch multiplies float32 matrices by MKL, which uses the widest instructions of some makers' processors
    only; its convolutions are oneDNN's, which uses them everywhere. Measured on one core of an AMD EPYC with
    AVX-512, forward and backward: 220 GFLOP/s instead of 108; with AVX2 110 instead of 100.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) to (..., D_out)."""
        return linear(x, self.weight, self.bias)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """What ``F.linear`` gives, as ``Linear`` computes it: (..., D) and weights (D_out, D) to (..., D_out)."""
    rows = x.numel() // x.shape[-1]
    wide = x.dtype == weight.dtype == torch.float32 and rows >= FEWEST
    if x.device.type != "cpu" or not wide or not ONEDNN:
        return F.linear(x, weight, bias)
    flat = x.reshape(rows, x.shape[-1])
    if more := -rows % ROWS:
        flat = F.pad(flat, (0, 0, 0, more))
    tall = flat.view(ROWS, 1, -1, x.shape[-1]).permute(0, 3, 1, 2)
    out = F.conv2d(tall, weight[:, :, None, None], bias).permute(0, 2, 3, 1).reshape(-1, len(weight))
    return out[:rows].view(*x.shape[:-1], len(weight))


class ClockEmbedding(nn.Module):
    """The clock l = log(alpha / sigma) as a vector.

    Sines and cosines at geometrically spaced frequencies let a small network treat neighbouring noise levels
    alike and distant ones differently. l moves over about [-5, 5], hence periods from 50 down to 1.

    Args:
        width: length D of the vector.
        frequencies: number of sine-cosine pairs.
    """

    table: Tensor

    def __init__(self, width: int, frequencies: int = 16) -> None:
        super().__init__()
        periods = torch.logspace(math.log10(50), 0, frequencies)
        self.register_buffer("table", 2 * math.pi / periods, persistent=False)
        self.mix = nn.Sequential(nn.Linear(2 * frequencies, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, clock: Tensor) -> Tensor:
        """Clock values (B,) to vectors (B, D)."""
        angle = clock[:, None] * self.table
        vector: Tensor = self.mix(torch.cat([angle.sin(), angle.cos()], 1))
        return vector


def attend(query: Tensor, key: Tensor, value: Tensor, head: int) -> Tensor:
    """Multi-head attention over (B, N, D) with heads of width ``head``; D must be a multiple of it."""
    batch, _, width = query.shape

    def split(x: Tensor) -> Tensor:
        return x.view(batch, x.shape[1], width // head, head).transpose(1, 2)

    mixed = look_up(split(query), split(key), split(value))
    return mixed.transpose(1, 2).reshape(query.shape)


def gated(x: Tensor) -> Tensor:
    """SwiGLU (Shazeer 2020, arXiv 2002.05202): one half of the features, (..., 2 D), lets the other pass."""
    gate, value = x.chunk(2, -1)
    return F.silu(gate) * value


def look_up(query: Tensor, key: Tensor, value: Tensor, seen: Tensor | None = None) -> Tensor:
    """Attention itself: torch's fused one. Processors that learn in bfloat16 do this part in float32.

    The gradient of torch's fused attention takes them up to three times as long in bfloat16 as in float32.

    Args:
        query: (B, heads, N, head).
        key, value: (B, heads, M, head).
        seen: which keys may be looked at, bool, broadcast to (B, heads, N, M); None where all may.

    Returns:
        (B, heads, N, head).
    """
    learning = torch.is_grad_enabled() and query.device.type == "cpu" and torch.is_autocast_enabled("cpu")
    if not learning:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
    with torch.autocast("cpu", enabled=False):
        mixed = F.scaled_dot_product_attention(query.float(), key.float(), value.float(), attn_mask=seen)
    return mixed.to(value.dtype)


def padding_to(size: tuple[int, int], multiple: int) -> tuple[int, int, int, int]:
    """Zero padding (left, right, top, bottom) that makes height and width multiples of ``multiple``."""
    height, width = (-length % multiple for length in size)
    return width // 2, width - width // 2, height // 2, height - height // 2
