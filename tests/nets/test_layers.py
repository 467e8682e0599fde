"""The parts that the networks share."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from unfog.errors import ConfigError
from unfog.nets.layers import (
    FEWEST,
    ClockEmbedding,
    Linear,
    attend,
    check_settings,
    group_norm,
    look_up,
    padding_to,
    zeroed,
)


def test_zeroed_layers_say_nothing() -> None:
    layer = zeroed(nn.Linear(3, 4))
    assert isinstance(layer, nn.Linear)
    assert not bool(layer(torch.randn(5, 3)).any())


@pytest.mark.parametrize(
    "shape", [(FEWEST, 5), (16, 40, 5), (FEWEST + 1, 5), (3, 5), (4, 1024, 1), (2, 0, 5)]
)
@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_is_one_whichever_way_it_is_computed(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    layer, x = Linear(shape[-1], 7, bias=bias), torch.randn(shape, requires_grad=True)
    found = layer(x)
    expected = F.linear(x.double(), layer.weight.double(), layer.bias.double() if bias else None)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)
    outputs, inputs = torch.randn(found.shape), (x, *layer.parameters())
    for mine, its in zip(
        torch.autograd.grad(found, inputs, outputs),
        torch.autograd.grad(expected, inputs, outputs.double()),
        strict=True,
    ):
        assert mine.shape == its.shape
        torch.testing.assert_close(mine, its, rtol=1e-3, atol=1e-4)


@given(width=st.integers(1, 300))
def test_groups_divide_any_width(width: int) -> None:
    norm = group_norm(width)
    assert width % norm.num_groups == 0
    assert norm.num_groups == max(1, width // 16) or width % (width // 16)


def test_usual_widths_have_16_channels_in_a_group() -> None:
    assert [group_norm(width).num_groups for width in (16, 32, 48, 96, 128)] == [1, 2, 3, 6, 8]


@dataclass
class Settings:
    depth: object = 2
    widths: object = (16, 32)
    dropout: float = 0.0
    variance: object = False


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"depth": 0}, "depth"),
        ({"depth": -1}, "depth"),
        ({"depth": 1.5}, "depth"),
        ({"depth": "two"}, "depth"),
        ({"widths": (16, 0)}, "widths"),
        ({"dropout": 1.0}, "dropout"),
        ({"dropout": -0.1}, "dropout"),
        ({"variance": "learned"}, "variance"),
    ],
)
def test_settings_that_cannot_be_built_are_named(change: dict[str, object], name: str) -> None:
    check_settings(Settings(), "depth", "widths")
    with pytest.raises(ConfigError, match=f"network.{name}"):
        check_settings(Settings(**change), "depth", "widths")


def test_the_clock_embedding_tells_noise_levels_apart() -> None:
    embedding = ClockEmbedding(12)
    vectors = embedding(torch.linspace(-10, 10, 41)).detach()
    assert vectors.shape == (41, 12)
    distance = torch.cdist(vectors, vectors) + 1e9 * torch.eye(41)
    assert float(distance.min()) > 1e-3


def test_the_clock_embedding_has_no_steps() -> None:
    """Neighbouring noise levels get neighbouring vectors."""
    embedding = ClockEmbedding(12)
    here, near, far = embedding(torch.tensor([1.0, 1.001, 2.0])).detach()
    assert float((near - here).norm()) < 0.02 * float((far - here).norm())


def test_attention_is_the_formula_for_each_head() -> None:
    q, k, v = torch.randn(3, 2, 5, 8)
    found = attend(q, k, v, head=4)
    for h in (0, 1):
        part = slice(4 * h, 4 * h + 4)
        weights = F.softmax(q[..., part] @ k[..., part].transpose(1, 2) / 4**0.5, dim=-1)
        torch.testing.assert_close(found[..., part], weights @ v[..., part])


@pytest.mark.parametrize("masked", [False, True])
def test_processors_that_learn_in_bfloat16_attend_in_float32(masked: bool) -> None:
    query, key, value = (torch.randn(2, 2, n, 8, dtype=torch.bfloat16) for n in (5, 7, 7))
    seen = torch.rand(2, 1, 1, 7) < 0.7 if masked else None
    if seen is not None:
        seen[..., 0] = True
    exact = F.scaled_dot_product_attention(query.float(), key.float(), value.float(), attn_mask=seen)
    with torch.autocast("cpu", torch.bfloat16):
        found = look_up(query, key.requires_grad_(), value, seen)
    assert found.dtype == torch.bfloat16 and torch.equal(found, exact.to(torch.bfloat16))
    found.float().sum().backward()
    assert key.grad is not None and key.grad.dtype == torch.bfloat16
    plain = look_up(query.float(), key.float(), value.float(), seen)
    torch.testing.assert_close(plain, exact)


@given(height=st.integers(1, 70), width=st.integers(1, 70), multiple=st.integers(1, 16))
def test_padding_is_the_least_that_fits_and_even_on_both_sides(
    height: int, width: int, multiple: int
) -> None:
    left, right, top, bottom = padding_to((height, width), multiple)
    for length, before, after in ((width, left, right), (height, top, bottom)):
        assert (length + before + after) % multiple == 0
        assert 0 <= before <= after <= before + 1 and before + after < multiple
