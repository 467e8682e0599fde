"""The transformer: positions, and its settings."""

from __future__ import annotations

import pytest
import torch

from tests.given import enliven
from unfog.errors import ConfigError
from unfog.nets import Transformer, TransformerConfig
from unfog.nets.transformer import rotary_2d, rotate


def test_rotation_keeps_lengths() -> None:
    x = torch.randn(2, 3, 12, 8)
    turned = rotate(x, rotary_2d(3, 4, 8, x.device))
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))


def test_rotated_products_depend_on_the_way_between_two_places_only() -> None:
    """The point of rotary codes (Su et al. 2021), here along both axes."""
    rows, columns, head = 5, 6, 16
    turn = rotary_2d(rows, columns, head, torch.device("cpu"))
    q, k = (torch.randn(head).expand(rows * columns, head) for _ in range(2))
    product = (rotate(q, turn) @ rotate(k, turn).T).view(rows, columns, rows, columns)
    torch.testing.assert_close(product[0, 0, 2, 1], product[2, 3, 4, 4], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(product[4, 5, 1, 0], product[3, 5, 0, 0], rtol=1e-4, atol=1e-4)
    assert float((product[0, 0, 2, 1] - product[0, 0, 1, 2]).abs()) > 1e-3
    assert float((product[0, 0, 2, 1] - product[2, 1, 0, 0]).abs()) > 1e-3


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
