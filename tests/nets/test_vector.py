"""The denoiser of vectors: what steers it is heard, and nothing is heard of nothing."""

from __future__ import annotations

import torch

from tests.given import enliven
from unfog.nets.vector import VectorNet, VectorNetConfig

SMALL = VectorNetConfig(size=6, vector=4, width=16, depth=2, dropout=0.0)


def test_it_begins_by_saying_nothing() -> None:
    out = VectorNet(SMALL)(torch.randn(3, 6), torch.zeros(3), torch.randn(3, 4))
    assert torch.equal(out, torch.zeros(3, 6))


def test_zeros_steer_as_nothing_does_and_others_otherwise() -> None:
    net, x, clock = VectorNet(SMALL), torch.randn(3, 6), torch.zeros(3)
    enliven(net, 0.3)
    silent = net(x, clock)
    torch.testing.assert_close(net(x, clock, torch.zeros(3, 4)), silent)
    assert not torch.allclose(net(x, clock, torch.randn(3, 4)), silent)
    assert not torch.allclose(net(x, clock + 2), silent)


def test_everything_learns() -> None:
    net = VectorNet(SMALL)
    enliven(net, 0.3)
    net(torch.randn(3, 6), torch.zeros(3), torch.randn(3, 4)).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in net.parameters())
