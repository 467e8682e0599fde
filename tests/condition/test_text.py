"""Both text encoders: shapes, the text that says nothing, and padding that changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.given import enliven
from unfog.condition import Condition, Encoder, Words
from unfog.condition.text import OwnTextEncoder, OwnTextEncoderConfig, TextEncoder, TextEncoderConfig
from unfog.errors import ConfigError, DataError

KINDS = ["frozen", "adapted", "pooled", "own", "near"]
PLAIN = ("own", "near")
lengths = st.lists(st.integers(0, 6), min_size=1, max_size=5)


def encoder_of(kind: str) -> Encoder:
    torch.manual_seed(0)
    encoder: Encoder
    if kind in PLAIN:
        shape = {"vocabulary": 20, "width": 16, "vector": 6, "depth": 2, "head": 8}
        encoder = OwnTextEncoder(OwnTextEncoderConfig(**shape, near=3 if kind == "near" else 0))
    else:
        depth = 2 if kind == "adapted" else 0
        encoder = TextEncoder(TextEncoderConfig(states=5, width=16, vector=6, depth=depth, head=8))
    enliven(encoder, 0.3)
    return encoder.eval()


def words_of(kind: str, given: list[int]) -> Words:
    """Random words of these lengths; what stands in the empty places is random, too."""
    torch.manual_seed(sum(given))
    longest = max([1, *given])
    mask = torch.arange(longest) < torch.tensor(given)[:, None]
    shape = (len(given), longest)
    states = torch.randint(20, shape) if kind in PLAIN else torch.randn(*shape, 5)
    return Words(states, mask, mask.any(1), torch.randn(len(given), 5) if kind == "pooled" else None)


def slots(condition: Condition) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    assert condition.vector is not None and condition.tokens is not None and condition.mask is not None
    return condition.vector, condition.tokens, condition.mask


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(given=lengths)
def test_shapes_and_masks(kind: str, given: list[int]) -> None:
    words = words_of(kind, given)
    vector, tokens, mask = slots(encoder_of(kind)(words))
    count, longest = words.mask.shape
    assert vector.shape == (count, 6) and tokens.shape == (count, longest, 16)
    assert mask.sum(1).tolist() == [max(1, length) for length in given]
    assert bool(tokens.isfinite().all()) and tokens[~mask].abs().sum() == 0


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(given=lengths, more=st.integers(1, 4))
def test_padding_and_company_change_nothing(kind: str, given: list[int], more: int) -> None:
    encoder, words = encoder_of(kind), words_of(kind, given)
    vector, tokens, mask = slots(encoder(words))
    wider = words.padded(words.mask.shape[1] + more)
    other = (wider.states + 3) % 20
    noisy = torch.where(_like(wider.mask, wider.states), wider.states, other)
    for changed in (wider, Words(noisy, wider.mask, wider.present, wider.pooled)):
        again = slots(encoder(changed))
        assert torch.allclose(again[0], vector, atol=1e-5)
        assert torch.allclose(again[1][again[2]], tokens[mask], atol=1e-5)
    for place in range(len(given)):
        alone = slots(encoder(words.pick([place])))
        assert torch.allclose(alone[0][0], vector[place], atol=1e-5)
        assert torch.allclose(alone[1][0][alone[2][0]], tokens[place][mask[place]], atol=1e-5)


def _like(mask: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    return mask.reshape(*mask.shape, *[1] * (states.ndim - 2))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_hidden_is_null(kind: str) -> None:
    encoder, words = encoder_of(kind), words_of(kind, [3, 4, 0])
    shown, hidden = encoder(words), encoder(words.hide(torch.tensor([True, False, False])))
    vector, tokens, mask = slots(hidden)
    null = slots(encoder.null(2).padded(4))
    for place, ours in ((0, 0), (2, 1)):  # hidden, and empty from the start
        assert torch.equal(vector[place], null[0][ours]) and torch.equal(tokens[place], null[1][ours])
        assert torch.equal(mask[place], null[2][ours])
    assert torch.equal(tokens[1], slots(shown)[1][1]) and torch.equal(vector[1], slots(shown)[0][1])
    assert not torch.allclose(slots(shown)[0][0], null[0][0])
    both = slots(encoder(words).cat(encoder.null(3)))
    assert both[1].shape[:2] == (6, 4) and both[2][3:].sum(1).tolist() == [1, 1, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_batch_carries_plain_tensors(kind: str) -> None:
    encoder, words, hidden = encoder_of(kind), words_of(kind, [3, 4, 0]), torch.tensor([False, True, False])
    told = encoder.hide(words.tensors(), hidden)
    pairs = zip(slots(encoder.of(*told)), slots(encoder(words.hide(hidden))), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("kind", KINDS)
def test_everything_learns(kind: str) -> None:
    encoder = encoder_of(kind).train()
    vector, tokens, _ = slots(encoder(words_of(kind, [3, 0])))
    (vector.square().sum() + (tokens * torch.randn(16)).sum()).backward()
    still = [name for name, each in encoder.named_parameters() if each.grad is None or not each.grad.any()]
    assert not still


def test_words_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="plain tokens; this model reads states of 5"):
        encoder_of("frozen")(words_of("own", [2]))
    wide = Words(torch.zeros(1, 1, 7), torch.ones(1, 1).bool(), torch.ones(1).bool())
    with pytest.raises(DataError, match="states of 7 numbers; this model reads states of 5"):
        encoder_of("frozen")(wide)
    with pytest.raises(DataError, match="reads plain tokens"):
        encoder_of("own")(words_of("frozen", [2]))


@pytest.mark.parametrize(
    ("make", "values", "said"),
    [
        (TextEncoderConfig, {"states": 0}, r"text\.states"),
        (TextEncoderConfig, {"states": 5, "width": 60}, r"multiple of text\.head = 64"),
        (TextEncoderConfig, {"states": 5, "depth": -1}, r"text\.depth"),
        (TextEncoderConfig, {"states": 5, "dropout": 1.0}, r"text\.dropout"),
        (OwnTextEncoderConfig, {"vocabulary": 9, "depth": 0}, r"text\.depth"),
        (OwnTextEncoderConfig, {"vocabulary": 9, "near": 4}, r"text\.near"),
        (OwnTextEncoderConfig, {"vocabulary": 9, "width": 9, "head": 3}, "even number"),
    ],
)
def test_settings_that_cannot_be(make: Any, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make(**values)
