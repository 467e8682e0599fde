"""The transformer: positions, and its settings."""

from __future__ import annotations

import pytest
import torch

from tests.given import enliven
from unfog.errors import ConfigError
from unfog.nets import Transformer, TransformerConfig


def test_places_are_told_apart() -> None:
    """Without position codes, exchanging two patches of the input would only exchange them in the output."""
    torch.manual_seed(0)
    network = Transformer(TransformerConfig(channels=1, patch=4, width=16, depth=2, head=8, vector=8)).eval()
    enliven(network, 0.3)
    x = torch.randn(1, 1, 8, 8)
    swapped = torch.cat([x[..., 4:], x[..., :4]], -1)
    with torch.inference_mode():
        out, other = network(x, torch.zeros(1)), network(swapped, torch.zeros(1))
    back = torch.cat([other[..., 4:], other[..., :4]], -1)
    assert float((out - back).abs().max()) > 1e-4


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"width": 100}, "width"),
        ({"width": 30, "head": 6}, "width"),
        ({"patch": 0}, "patch"),
        ({"depth": 0}, "depth"),
        ({"dropout": -1}, "dropout"),
    ],
)
def test_unusable_settings_are_named(options: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=f"network.{name}"):
        TransformerConfig(**options)
