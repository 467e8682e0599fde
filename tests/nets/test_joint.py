"""Joint attention: what the text changes, and what it must not change."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.given import enliven
from tests.nets.colours import follows_words
from unfog.errors import ConfigError
from unfog.nets import JointTransformer, JointTransformerConfig

SMALL: dict[str, Any] = {"channels": 1, "patch": 4, "width": 16, "depth": 3, "double": 1, "head": 8}
TEXT = {**SMALL, "vector": 8, "context": 6, "picture": 5}


def build(*, alive: bool = True, **options: Any) -> JointTransformer:
    torch.manual_seed(0)
    network = JointTransformer(JointTransformerConfig(**{**TEXT, **options}))
    if alive:
        enliven(network, 0.2)
    return network.eval()


def draw(network: nn.Module, x: Tensor, **slots: Tensor) -> Tensor:
    with torch.inference_mode():
        out: Tensor = network(x, torch.linspace(-2, 2, len(x)), **slots)
    return out


@settings(max_examples=20)
@given(
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    words=st.integers(1, 7),
    double=st.integers(0, 2),
    patch=st.integers(1, 4),
    modulation=st.sampled_from(["shared", "block"]),
    variance=st.booleans(),
)
def test_any_size_and_any_number_of_words(
    size: tuple[int, int], words: int, double: int, patch: int, modulation: str, variance: bool
) -> None:
    network = build(double=double, patch=patch, modulation=modulation, variance=variance)
    slots = {"tokens": torch.randn(2, words, 6), "mask": torch.rand(2, words) > 0.5}
    out = draw(network, torch.randn(2, 1, *size), **slots, picture=torch.randn(2, 3, 5))
    assert out.shape == (2, 1 + variance, *size) and bool(out.isfinite().all())


@pytest.mark.parametrize("double", [0, 1, 2])
def test_masked_tokens_change_nothing(double: int) -> None:
    network, x, tokens = build(double=double), torch.randn(2, 1, 8, 8), torch.randn(2, 4, 6)
    mask = torch.tensor([[True, True, False, False], [True, False, True, False]])
    other = torch.where(mask[..., None], tokens, 9 * torch.randn(2, 4, 6))
    out = draw(network, x, tokens=tokens, mask=mask)
    torch.testing.assert_close(draw(network, x, tokens=other, mask=mask), out)
    torch.testing.assert_close(draw(network, x, tokens=tokens[:, :3], mask=mask[:, :3]), out)
    heard = torch.where(mask[..., None], other + torch.randn(2, 4, 6), tokens)
    assert float((draw(network, x, tokens=heard, mask=mask) - out).abs().max()) > 1e-3
    everything = torch.ones(2, 4, dtype=torch.bool)
    torch.testing.assert_close(
        draw(network, x, tokens=tokens, mask=everything), draw(network, x, tokens=tokens)
    )


def test_a_text_without_a_real_token_is_no_text() -> None:
    network, x, tokens = build(), torch.randn(2, 1, 8, 8), torch.randn(2, 4, 6)
    network.zero_grad()
    silent = network(x, torch.zeros(2), tokens=tokens, mask=torch.zeros(2, 4, dtype=torch.bool))
    torch.testing.assert_close(silent, network(x, torch.zeros(2)), rtol=1e-4, atol=1e-5)
    silent.sum().backward()
    assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in network.parameters())


def test_words_have_no_order_and_patches_have() -> None:
    """Position is the encoder's business for words (its states hold it), and the network's for patches."""
    network, x, tokens = build(), torch.randn(1, 1, 8, 8), torch.randn(1, 4, 6)
    out = draw(network, x, tokens=tokens)
    torch.testing.assert_close(draw(network, x, tokens=tokens.flip(1)), out, rtol=1e-4, atol=1e-5)
    swapped = draw(network, x.roll(4, -1), tokens=tokens).roll(-4, -1)
    assert float((swapped - out).abs().max()) > 1e-3


def test_text_and_picture_say_nothing_at_first() -> None:
    network, x = build(alive=False), torch.randn(2, 1, 8, 8)
    nn.init.normal_(network.head.weight)  # a fresh one is 0, which would hide everything
    plain = draw(network, x)
    assert float(plain.std()) > 0
    said = {"tokens": torch.randn(2, 4, 6), "picture": torch.randn(2, 3, 5)}
    torch.testing.assert_close(draw(network, x, **said), plain)


def test_a_picture_prompt_added_to_a_trained_model_changes_nothing_until_it_learns() -> None:
    old, new = build(picture=0), build(picture=5, alive=False)
    missing, unexpected = new.load_state_dict(old.state_dict(), strict=False)
    assert not unexpected and missing and all(".picture." in name for name in missing)
    x, tokens = torch.randn(2, 1, 8, 8), torch.randn(2, 4, 6)
    shown = torch.randn(2, 3, 5)
    assert torch.equal(draw(new, x, tokens=tokens, picture=shown), draw(old, x, tokens=tokens))
    new(x, torch.zeros(2), tokens=tokens, picture=shown).square().sum().backward()
    values = [p.grad for name, p in new.named_parameters() if name.endswith("picture.value.weight")]
    assert len(values) == 3 and all(grad is not None and bool(grad.any()) for grad in values)


def test_gradients_reach_every_weight_from_text_and_picture() -> None:
    network = build().train()
    said = {"tokens": torch.randn(3, 4, 6), "picture": torch.randn(3, 2, 5), "vector": torch.randn(3, 8)}
    network(torch.randn(3, 1, 8, 8), torch.randn(3), **said).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and float(parameter.grad.abs().max()) > 1e-9, name


def test_sharing_saves_weights() -> None:
    def count(**options: Any) -> int:
        return sum(p.numel() for p in build(width=64, depth=6, **options).parameters())

    assert count(modulation="shared") < count(modulation="block")
    assert count(double=0) < count(double=2) < count(double=5)
    assert count(context=0, double=0) == count(context=0, double=2), "without a text nobody needs its weights"


def test_words_steer() -> None:
    assert follows_words(lambda: JointTransformer(JointTransformerConfig(**{**TEXT, "channels": 3})))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"width": 100}, "width"),
        ({"head": 6}, "width"),
        ({"patch": 0}, "patch"),
        ({"double": 1.5}, "double"),
        ({"double": -1}, "double"),
        ({"context": -1}, "context"),
        ({"picture": 0.5}, "picture"),
        ({"modulation": "none"}, "modulation"),
        ({"dropout": 1}, "dropout"),
    ],
)
def test_unusable_settings_are_named(options: dict[str, object], name: str) -> None:
    with pytest.raises(ConfigError, match=f"network.{name}"):
        JointTransformerConfig(**{**SMALL, **options})


def test_a_text_for_a_network_without_ears_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"network\.context = 0"):
        draw(build(context=0), torch.zeros(1, 1, 8, 8), tokens=torch.zeros(1, 2, 6))
