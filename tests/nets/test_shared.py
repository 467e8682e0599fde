"""What every network of the table has to do; a new one is covered by its line in the table and one below."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.given import enliven
from unfog.nets import NETWORKS

SMALL: dict[str, dict[str, Any]] = {
    "unet": {"widths": (16, 16), "depth": 1, "head": 16, "vector": 16},
    "transformer": {"width": 16, "depth": 2, "head": 8, "vector": 16},
    "joint": {"width": 16, "depth": 2, "double": 1, "head": 8, "vector": 16},
}
VECTOR = 16


def build(kind: str, *, alive: bool = True, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    make, config = NETWORKS[kind]
    network = make(config(**{"channels": 1, "patch": 2, **SMALL[kind], **options}))
    if alive:
        enliven(network, 0.1)
    return network.eval()


def ask(network: nn.Module, x: Tensor, **slots: Tensor) -> Tensor:
    result: Tensor = network(x, torch.linspace(-3, 3, len(x)), **slots)
    return result


def test_every_network_is_tested() -> None:
    assert SMALL.keys() == NETWORKS.keys(), "give a new network small options here"


@pytest.mark.parametrize("kind", NETWORKS)
@settings(max_examples=25)
@given(
    height=st.integers(4, 40),
    width=st.integers(4, 40),
    channels=st.sampled_from([1, 3]),
    patch=st.sampled_from([1, 2, 4]),
)
def test_any_size_goes_in_and_comes_out(
    kind: str, height: int, width: int, channels: int, patch: int
) -> None:
    if kind != "unet" and patch == 1:
        patch = 3  # one token for each pixel is only slow
    network = build(kind, channels=channels, patch=patch)
    with torch.inference_mode():
        out = ask(network, torch.randn(2, channels, height, width))
    assert out.shape == (2, channels, height, width) and bool(out.isfinite().all())
    assert float(out.std()) > 0


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_fresh_network_says_nothing(kind: str) -> None:
    """The output layer starts at 0: the first prediction is the mean of the target, not noise."""
    network = build(kind, alive=False)
    out = ask(network, torch.randn(3, 1, 8, 8), vector=torch.randn(3, VECTOR))
    assert not bool(out.any())


@pytest.mark.parametrize("kind", NETWORKS)
def test_it_listens_to_picture_clock_and_condition(kind: str) -> None:
    network, x, vector = build(kind), torch.randn(2, 1, 8, 8), torch.randn(2, VECTOR)
    with torch.inference_mode():
        plain, steered = ask(network, x), ask(network, x, vector=vector)
        later = network(x, torch.full((2,), 2.0), vector=vector)
        other = ask(network, x + 1, vector=vector)
    for changed in (plain, later, other):
        assert float((changed - steered).abs().max()) > 1e-4
    torch.testing.assert_close(ask(network, x, vector=torch.zeros(2, VECTOR)), plain)


@pytest.mark.parametrize("kind", NETWORKS)
def test_further_channels_come_in_by_concat(kind: str) -> None:
    network, x = build(kind, extra=2), torch.randn(2, 1, 9, 7)
    with torch.inference_mode():
        one, other = (ask(network, x, concat=torch.full((2, 2, 9, 7), c)) for c in (0.0, 1.0))
    assert one.shape == x.shape and float((one - other).abs().max()) > 1e-4


@pytest.mark.parametrize("kind", NETWORKS)
def test_examples_do_not_see_each_other(kind: str) -> None:
    network = build(kind)
    x, clock, vector = torch.randn(4, 1, 8, 8), torch.randn(4), torch.randn(4, VECTOR)
    with torch.inference_mode():
        together = network(x, clock, vector=vector)
        for i in range(4):
            alone = network(x[i : i + 1], clock[i : i + 1], vector=vector[i : i + 1])
            torch.testing.assert_close(alone, together[i : i + 1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", NETWORKS)
def test_memory_layout_does_not_matter(kind: str) -> None:
    network, x = build(kind, channels=3), torch.randn(2, 3, 8, 8)
    strided = torch.randn(2, 3, 16, 8)[:, :, ::2].copy_(x)
    with torch.inference_mode():
        expected = ask(network, x)
        torch.testing.assert_close(
            ask(network, x.contiguous(memory_format=torch.channels_last)), expected, rtol=1e-4, atol=1e-5
        )
        torch.testing.assert_close(ask(network, strided), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", NETWORKS)
def test_gradients_reach_every_weight(kind: str) -> None:
    network = build(kind).train()
    ask(network, torch.randn(3, 1, 8, 8), vector=torch.randn(3, VECTOR)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and float(parameter.grad.abs().max()) > 1e-9, name


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_fresh_network_can_learn(kind: str) -> None:
    """Zeros at the start must not be zeros for ever: a few steps fit a picture."""
    network = build(kind, alive=False).train()
    x, clock = torch.randn(4, 1, 8, 8), torch.zeros(4)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = (network(x, clock) - x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("kind", NETWORKS)
def test_dropout_is_for_training_only(kind: str) -> None:
    network, x = build(kind, dropout=0.5), torch.randn(2, 1, 8, 8)
    with torch.inference_mode():
        assert torch.equal(ask(network, x), ask(network, x))
        network.train()
        assert not torch.equal(ask(network, x), ask(network, x))


@pytest.mark.parametrize("kind", NETWORKS)
def test_conditions_of_the_wrong_kind_are_an_error(kind: str) -> None:
    with pytest.raises(TypeError):
        ask(build(kind), torch.randn(1, 1, 8, 8), no_such_slot=torch.zeros(1))
