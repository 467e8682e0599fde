"""Places that know where in the picture they are."""

from __future__ import annotations

import pytest
import torch

from tests.given import enliven
from unfog.nets import UNet, UNetConfig
from unfog.nets.joint import JointTransformer, JointTransformerConfig
from unfog.nets.position import Position, coordinates
from unfog.nets.transformer import Transformer, TransformerConfig

CONFIGS = {Transformer: TransformerConfig, JointTransformer: JointTransformerConfig}


def test_every_place_has_coordinates_of_its_own() -> None:
    where = coordinates(6, 9, torch.device("cpu")).flatten(1).T
    apart = torch.cdist(where, where) + torch.eye(54)
    assert float(apart.min()) > 0.1


def test_coordinates_do_not_depend_on_the_number_of_pixels() -> None:
    """A place of a coarse picture stands where the middle of the places that it covers stands."""
    coarse, fine = coordinates(4, 6, torch.device("cpu")), coordinates(12, 18, torch.device("cpu"))
    torch.testing.assert_close(coarse, fine[:, 1::3, 1::3])


def test_the_longest_wave_tells_left_from_right_and_above_from_below() -> None:
    where = coordinates(8, 8, torch.device("cpu"))
    rows, columns = where[0], where[len(where) // 2]
    assert bool((rows.diff(dim=0) > 0).all()) and bool((columns.diff(dim=1) > 0).all())


def test_it_begins_as_nothing_and_then_tells_places_apart() -> None:
    torch.manual_seed(0)
    position, x = Position(5), torch.zeros(2, 5, 4, 6)
    assert torch.equal(position(x), x)
    enliven(position, 1.0)
    told = position(x).detach()
    assert told.shape == x.shape and torch.equal(told[0], told[1])
    assert float(told[0].flatten(1).std(1).min()) > 0.1


@pytest.mark.parametrize("kind", [Transformer, JointTransformer])
def test_patches_that_look_alike_are_told_apart(kind: type) -> None:
    """Of a picture that is the same everywhere, rotary codes alone make an output that is, too."""

    def spread(position: bool) -> float:
        torch.manual_seed(0)
        network = kind(
            CONFIGS[kind](channels=1, patch=2, width=16, depth=2, head=8, vector=8, position=position)
        )
        enliven(network, 0.3)
        with torch.inference_mode():
            drawn = network.eval()(torch.ones(1, 1, 8, 8), torch.zeros(1))
        return float(drawn[0, 0, ::2, ::2].std())

    assert spread(False) < 1e-5 < 1e-2 < spread(True)


def test_a_network_that_knows_positions_draws_another_thing_in_another_place() -> None:
    """Noise moved round by half a picture: without positions, what is drawn far from an edge moves along."""

    def difference(position: bool) -> float:
        torch.manual_seed(0)
        shape = {"widths": (16,), "depth": 1, "vector": 8, "head": 8, "patch": 1, "context": 6}
        network = UNet(UNetConfig(channels=1, position=position, **shape)).eval()  # type: ignore[arg-type]
        enliven(network, 0.1)
        x, tokens = torch.randn(1, 1, 64, 64), torch.randn(1, 4, 6)
        x = torch.cat([x, x], 3)  # the same twice, side by side
        with torch.inference_mode():
            drawn = network(x, torch.zeros(1), tokens=tokens)[..., 24:-24]
        return float((drawn[..., :16] - drawn[..., 64:80])[:, :, 24:40].abs().max())

    assert difference(False) < 1e-4 < 1e-2 < difference(True)
