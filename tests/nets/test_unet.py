"""The convolutional network: its levels, its settings."""

from __future__ import annotations

import pytest
import torch

from tests.given import enliven
from unfog.errors import ConfigError
from unfog.nets import UNet, UNetConfig


@pytest.mark.parametrize("widths", [(16,), (16, 32), (24, 40, 56), (16, 16, 16, 16), (100,)])
def test_any_number_of_levels_of_any_width(widths: tuple[int, ...]) -> None:
    network = UNet(UNetConfig(channels=1, patch=1, widths=widths, depth=1, vector=8, head=16))
    with torch.inference_mode():
        assert network(torch.randn(1, 1, 11, 6), torch.zeros(1)).shape == (1, 1, 11, 6)


@pytest.mark.parametrize("depth", [1, 3])
def test_depth_adds_blocks(depth: int) -> None:
    def count(depth: int) -> int:
        network = UNet(UNetConfig(channels=1, widths=(16, 16), depth=depth, vector=8, head=16))
        return sum(p.numel() for p in network.parameters())

    assert count(depth + 1) > count(depth)


def test_every_place_can_see_every_other() -> None:
    """Attention at the lowest resolution: one changed pixel is felt in the opposite corner."""
    torch.manual_seed(0)
    network = UNet(UNetConfig(channels=1, patch=2, widths=(16,), depth=1, vector=8, head=16)).eval()
    enliven(network, 0.1)
    x = torch.randn(1, 1, 32, 32)
    changed = x.clone()
    changed[0, 0, 0, 0] += 10
    with torch.inference_mode():
        difference = (network(x, torch.zeros(1)) - network(changed, torch.zeros(1))).abs()
    assert float(difference[0, 0, -1, -1]) > 0


@pytest.mark.parametrize(
    "options",
    [{"widths": ()}, {"widths": 64}, {"widths": (32, -1)}, {"patch": 0}, {"depth": 0}, {"dropout": 1.5}],
)
def test_unusable_settings_are_named(options: dict[str, object]) -> None:
    (name,) = options
    with pytest.raises(ConfigError, match=f"network.{name}"):
        UNetConfig(**options)
