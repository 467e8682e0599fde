"""Rotary codes of places, cross-attention to a text, and a picture given as a prompt."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.given import enliven
from unfog.errors import ConfigError
from unfog.nets.attention import CrossAttention, PictureKeys, Prompt, check_prompts, rotary_2d, rotate, spin


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_spinning_is_rotating_with_the_features_in_another_order(dtype: torch.dtype) -> None:
    x, turn = torch.randn(2, 12, 8).to(dtype), rotary_2d(3, 4, 8, torch.device("cpu"))
    pairs = x.float().view(2, 12, 4, 2).transpose(2, 3).flatten(2)
    expected = rotate(pairs, turn).view(2, 12, 2, 4).transpose(2, 3).flatten(2)
    found = spin(x, torch.complex(*turn))
    assert found.dtype == dtype
    torch.testing.assert_close(
        found.float(), expected, atol=0.02 if dtype == torch.bfloat16 else 1e-5, rtol=0
    )


@dataclass
class Ears:
    context: object = 6
    picture: object = 5


def test_tokens_that_a_network_was_not_built_for_are_named() -> None:
    assert Prompt.of(Ears(), None, None, None) == Prompt(None, None, None)
    with pytest.raises(ConfigError, match=r"network.context = 6, and tokens of 7"):
        Prompt.of(Ears(), torch.zeros(1, 2, 7), None, None)
    with pytest.raises(ConfigError, match=r"network.picture = 0, and tokens of 5"):
        Prompt.of(Ears(picture=0), None, None, torch.zeros(1, 2, 5))
    for change in ({"context": -1}, {"picture": 1.5}):
        with pytest.raises(ConfigError, match=f"network.{next(iter(change))}"):
            check_prompts(Ears(**change))


def test_loud_and_quiet_texts_are_heard_alike() -> None:
    said = torch.randn(1, 3, 6)
    quiet, loud = (Prompt.of(Ears(), size * said, None, None).tokens for size in (1.0, 30.0))
    assert quiet is not None
    torch.testing.assert_close(quiet, loud, rtol=1e-3, atol=1e-3)


def listener(context: int = 6, picture: int = 5) -> CrossAttention:
    torch.manual_seed(0)
    module = CrossAttention(16, 8, context, picture)
    enliven(module, 0.3)
    return module


def heard(module: CrossAttention, x: Tensor, **said: Tensor | None) -> Tensor:
    out: Tensor = module(x, Prompt(**{"tokens": None, "mask": None, "picture": None, **said}))
    return out - x


def test_cross_attention_is_the_formula_for_each_head_and_may_look_at_nothing() -> None:
    module, x, tokens = listener(), torch.randn(2, 16, 3, 2), torch.randn(2, 4, 6)
    mask = torch.tensor([[True, True, False, True], [False, True, False, False]])
    assert module.pair is not None
    query = module.query(F.layer_norm(x.flatten(2).transpose(1, 2), (16,)))
    key, value = module.pair(tokens).chunk(2, 2)
    expected = torch.zeros_like(query)
    for h in (slice(0, 8), slice(8, 16)):
        q, k = F.layer_norm(query[..., h], (8,)), F.layer_norm(key[..., h], (8,))
        weights = (q @ k.transpose(1, 2) / 8**0.5).exp() * mask[:, None]
        expected[..., h] = weights @ value[..., h] / (1 + weights.sum(2, keepdim=True))
    found = heard(module, x, tokens=tokens, mask=mask)
    torch.testing.assert_close(
        found, module.out(expected).transpose(1, 2).reshape(x.shape), rtol=1e-4, atol=1e-5
    )


def test_a_text_without_a_real_token_says_nothing_and_teaches_nothing_wrong() -> None:
    module, x, tokens = listener(), torch.randn(2, 16, 3, 2), torch.randn(2, 4, 6)
    out = heard(module, x, tokens=tokens, mask=torch.zeros(2, 4, dtype=torch.bool))
    assert not bool(out.any())
    out.sum().backward()
    assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in module.parameters())


def test_the_length_of_picture_tokens_is_their_strength() -> None:
    module, x, shown = listener(), torch.randn(2, 16, 3, 2), torch.randn(2, 4, 5)
    full = heard(module, x, picture=shown)
    assert float(full.detach().abs().max()) > 1e-2
    torch.testing.assert_close(heard(module, x, picture=0.25 * shown), 0.25 * full, rtol=1e-3, atol=1e-4)
    assert not bool(heard(module, x, picture=0 * shown).any())


def test_text_and_picture_are_added() -> None:
    module, x = listener(), torch.randn(2, 16, 3, 2)
    tokens, shown = torch.randn(2, 4, 6), torch.randn(2, 4, 5)
    both = heard(module, x, tokens=tokens, picture=shown)
    torch.testing.assert_close(both, heard(module, x, tokens=tokens) + heard(module, x, picture=shown))


@pytest.mark.parametrize("context", [0, 6])
def test_a_picture_is_silent_at_first_and_can_learn(context: int) -> None:
    module, x = CrossAttention(16, 8, context, 5), torch.randn(2, 16, 3, 2)
    shown, tokens = torch.randn(2, 4, 5), torch.randn(2, 4, 6) if context else None
    optimiser = torch.optim.Adam(module.parameters(), 1e-2)
    for step in range(3):
        out = heard(module, x, picture=shown, tokens=tokens)
        assert step or not bool(out.any())
        optimiser.zero_grad()
        (out - 1).square().sum().backward()
        optimiser.step()
    assert isinstance(module.picture, PictureKeys)
    for parameter in module.picture.parameters():
        assert parameter.grad is not None and float(parameter.grad.abs().max()) > 1e-9
