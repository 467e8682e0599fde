"""The convolutional network: its levels, its settings."""

from __future__ import annotations

import pytest
import torch

from tests.given import enliven
from tests.nets.colours import follows_words
from unfog.errors import ConfigError
from unfog.nets import UNet, UNetConfig
from unfog.nets.spatial import SpatialTransformer


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


# ---- words and pictures as prompts ----------------------------------------------------------------

SMALL = {"widths": (16, 16), "depth": 1, "vector": 8, "head": 8, "patch": 1}
# the weights of a network from before there were prompts, by name: saved models hold these
ATTENTION = ("attention.norm", "attention.out", "attention.qkv")
LAYERS = (*ATTENTION, "clock.mix.0", "clock.mix.2", "stem", "shrink.0", "grow.0", "norm", "head")
BLOCKS = ("down.0", "down.1", "middle", "up.0", "up.1", "up.2", "up.3")
PARTS = ("conv_in", "conv_out", "modulate", "norm_in", "norm_out")


def listening(**options: object) -> UNet:
    torch.manual_seed(0)
    return UNet(UNetConfig(**{**SMALL, "context": 6, **options}))  # type: ignore[arg-type]


def test_a_network_without_prompts_has_the_weights_it_always_had() -> None:
    blocks = [f"{block}.{part}" for block in BLOCKS for part in PARTS]
    skips = [f"up.{i}.skip" for i in range(4)]  # what is handed across makes them wider
    names = {f"{layer}.{what}" for layer in (*LAYERS, *blocks, *skips) for what in ("weight", "bias")}
    assert set(listening(context=0).state_dict()) == names


def test_a_text_is_an_addition_to_an_old_network() -> None:
    old, new = listening(context=0).eval(), listening(picture=5).eval()
    for name, value in old.state_dict().items():
        assert torch.equal(new.state_dict()[name], value), f"{name} begins elsewhere"
    enliven(old, 0.1)
    missing, unexpected = new.load_state_dict(old.state_dict(), strict=False)
    assert not unexpected and missing and all(name.startswith("looks.") for name in missing)
    x, said = torch.randn(2, 3, 8, 8), {"tokens": torch.randn(2, 4, 6), "picture": torch.randn(2, 2, 5)}
    with torch.inference_mode():
        assert torch.equal(new(x, torch.zeros(2), **said), old(x, torch.zeros(2)))


@pytest.mark.parametrize(("levels", "places"), [(1, 4), (2, 7), (9, 7)])
def test_places_listen_after_each_block_of_the_lowest_levels(levels: int, places: int) -> None:
    """Down once, up twice and in the middle: 1 + 2 + 1 for the lowest level of depth 1, 3 for the next."""
    looks = listening(widths=(16, 24), context_levels=levels).looks
    assert len(looks) == places
    network = listening(widths=(16, 24), context_levels=levels).eval()
    enliven(network, 0.1)
    x, tokens = torch.randn(2, 3, 9, 6), torch.randn(2, 4, 6)
    with torch.inference_mode():
        out, other = (network(x, torch.zeros(2), tokens=said) for said in (tokens, -tokens))
        masked = torch.tensor([[True, False, True, False], [False] * 4])
        one, two = (
            network(x, torch.zeros(2), tokens=torch.where(masked[..., None], tokens, said), mask=masked)
            for said in (tokens, -tokens)
        )
        plain = network(x, torch.zeros(2))
    assert out.shape == x.shape and float((out - other).abs().max()) > 1e-3
    torch.testing.assert_close(one, two)
    torch.testing.assert_close(one[1], plain[1])
    assert float((one[0] - plain[0]).abs().max()) > 1e-3


@pytest.mark.parametrize("spatial", [0, 1, 9])
def test_words_steer(spatial: int) -> None:
    assert follows_words(lambda: listening(spatial=spatial))


@pytest.mark.parametrize(("spatial", "blocks"), [(0, 0), (1, 4), (2, 7), (9, 7)])
def test_places_look_at_each_other_at_the_lowest_levels(spatial: int, blocks: int) -> None:
    looks = listening(widths=(16, 24), spatial=spatial).looks
    assert sum(isinstance(look, SpatialTransformer) for look in looks.values()) == blocks


@pytest.mark.parametrize(
    "options",
    [
        {"context": -1},
        {"picture": "yes"},
        {"context_levels": 0},
        {"spatial": -1},
        {"spatial": 0.5},
        {"position": 1},
        {"widths": ()},
        {"widths": 64},
        {"widths": (32, -1)},
        {"patch": 0},
        {"depth": 0},
        {"dropout": 1.5},
    ],
)
def test_unusable_settings_are_named(options: dict[str, object]) -> None:
    (name,) = options
    with pytest.raises(ConfigError, match=f"network.{name}"):
        UNetConfig(**options)
