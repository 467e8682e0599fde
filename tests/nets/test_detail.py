"""Detail in units of the noise, on its way round the network."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.given import enliven
from tests.nets.test_shared import SMALL
from unfog.errors import ConfigError
from unfog.nets import NETWORKS
from unfog.nets.detail import EDGE, detail, filtered

FLAT = 0.7  # the value of a picture that is the same everywhere


def noisy(level: float, size: int = 32, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """A flat picture under noise at a level sigma / alpha, scaled; the noise; the clock."""
    noise = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(seed))
    scale = 1 / math.sqrt(1 + level**2)
    return scale * (FLAT + level * noise), noise, torch.full((4,), -math.log(level))


@pytest.mark.parametrize("level", [0.01, 0.1, 1.0, 10.0])
def test_noise_looks_the_same_at_every_level(level: float) -> None:
    x, noise, clock = noisy(level)
    (at_one, _, one), fine = noisy(1.0), detail(x, clock, 2)
    torch.testing.assert_close(fine, detail(at_one, one, 2), rtol=1e-3, atol=1e-3)
    near, far = fine.split(3, 1)
    pairs = [torch.stack([part.flatten(), noise.flatten()]) for part in (near, far)]
    close, wide = (float(torch.corrcoef(pair)[0, 1]) for pair in pairs)
    assert close > 0.9 and 0.1 < wide < close


def test_more_surroundings_leave_less_noise_in_what_is_flat() -> None:
    """The mean of 3 x 3 pixels holds a ninth of the noise, a wider one less: least squares find both."""
    left = []
    for scales in (1, 2, 3):
        x, noise, clock = noisy(0.05, size=64)
        fine = detail(x, clock, scales).unflatten(1, (scales, 3)).permute(1, 0, 2, 3, 4).flatten(1)
        shares = torch.linalg.lstsq(fine.T, noise.flatten()[:, None]).solution
        left.append(float((noise.flatten() - shares[:, 0] @ fine).square().mean()))
    assert 1 / 9 < left[0] < 0.16 and left[2] < left[1] < 0.75 * left[0]


def test_an_edge_is_held_low() -> None:
    x = torch.zeros(1, 1, 8, 8)
    x[..., 4:] = 1.0
    high, low = (detail(x, torch.tensor([math.log(1 / level)]), 1).abs().max() for level in (0.01, 1.0))
    assert (
        float(high) < 1.2 and 0.2 < float(low) < 0.5
    )  # of differences of a third: 33 and 0.5 times the noise


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 9), width=st.integers(1, 9), scales=st.integers(0, 3), clock=st.floats(-10, 10))
def test_any_size_and_any_noise(height: int, width: int, scales: int, clock: float) -> None:
    fine = detail(torch.randn(2, 3, height, width), torch.full((2,), clock), scales)
    assert fine.shape == (2, 3 * scales, height, width) and bool(fine.isfinite().all())
    assert float(fine.abs().max() if scales else 0) <= EDGE / 2 + 1e-4


def test_shares_are_of_their_own_channel_and_size() -> None:
    """Two channels, two sizes, and one thing more that is learned, which stays as it is."""
    fine = torch.tensor([1.0, 10.0, 100.0, 1000.0]).view(1, 4, 1, 1)
    shares = torch.tensor([0.5, 2.0, 3.0, 0.0]).view(1, 4, 1, 1)
    out = torch.cat([torch.tensor([7.0, 8.0, 9.0]).view(1, 3, 1, 1), shares], 1)
    assert filtered(out, fine, 2).flatten().tolist() == [7 + 0.5 + 300, 8 + 20 + 0, 9]
    assert filtered(out, fine[:, :0], 2) is out


def build(kind: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    make, config = NETWORKS[kind]
    return make(config(**{"channels": 3, "patch": 4, **SMALL[kind], **options}))


@pytest.mark.parametrize("kind", NETWORKS)
def test_what_one_place_says_of_detail_reaches_its_own_pixels(kind: str) -> None:
    """A network that says nothing but "all of it" gives the detail itself, fold for fold."""
    network = build(kind, detail=2, variance=True, extra=1).eval()
    head = network.head
    assert isinstance(head, nn.Linear | nn.Conv2d) and head.bias is not None
    with torch.no_grad():
        head.bias[6 * 16 :] = 1.0  # after three channels of the target and three of the variance, of 4 x 4
        x, clock = torch.randn(2, 3, 11, 14), torch.tensor([0.0, 3.0])
        out = network(x, clock, concat=torch.zeros(2, 1, 11, 14))
    expected = detail(x, clock, 2).unflatten(1, (2, 3)).sum(1)
    torch.testing.assert_close(out, torch.cat([expected, torch.zeros_like(expected)], 1))


@pytest.mark.parametrize("kind", NETWORKS)
def test_it_begins_as_nothing_and_learns(kind: str) -> None:
    network = build(kind, detail=2)
    x, clock = torch.randn(2, 3, 8, 8), torch.zeros(2)
    assert not bool(network(x, clock).any())
    enliven(network, 0.1)
    network(x, clock).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and float(parameter.grad.abs().max()) > 1e-9, name


@pytest.mark.parametrize("kind", NETWORKS)
def test_what_is_flat_is_cleared_of_noise_through_a_narrow_door(kind: str) -> None:
    """48 numbers for each place of 4 x 4 pixels cannot pass through 16 channels; round them they can."""

    def loss(scales: int) -> float:
        network = build(kind, detail=scales).train()
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
        for step in range(80):
            x, noise, clock = noisy(0.1, size=16, seed=step)
            error = (network(x, clock) - noise).square().mean()
            optimiser.zero_grad()
            error.backward()
            optimiser.step()
        return float(error.detach())

    assert loss(2) < 0.3 < 0.6 < loss(0)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("value", [-1, 7, 0.5, True, "two"])
def test_odd_numbers_of_sizes_are_refused(kind: str, value: Any) -> None:
    with pytest.raises(ConfigError, match="detail"):
        build(kind, detail=value)
