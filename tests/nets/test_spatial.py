"""Places that look at each other: near and far, words or none."""

from __future__ import annotations

import pytest
import torch

from tests.given import enliven
from unfog.nets.attention import Prompt
from unfog.nets.spatial import SpatialTransformer, head_of

NOTHING = Prompt(None, None, None)


def made(context: int = 6) -> SpatialTransformer:
    torch.manual_seed(0)
    module = SpatialTransformer(16, 8, context).eval()
    enliven(module, 0.3)
    return module


@pytest.mark.parametrize(
    ("width", "most", "head"), [(80, 64, 40), (160, 64, 40), (128, 64, 64), (96, 64, 48), (34, 64, 34)]
)
def test_heads_fill_the_width_and_are_shared_by_two_axes(width: int, most: int, head: int) -> None:
    assert head_of(width, most) == head


def test_it_begins_as_nothing() -> None:
    x, tokens = torch.randn(2, 16, 4, 3), torch.randn(2, 5, 6)
    assert torch.equal(SpatialTransformer(16, 8, 6)(x, Prompt(tokens, None, None)), x)


def test_a_place_far_away_is_felt_without_any_text() -> None:
    module, x = made(), torch.randn(1, 16, 6, 5)
    changed = x.clone()
    changed[0, :, 0, 0] *= -1
    with torch.inference_mode():
        difference = (module(x, NOTHING) - module(changed, NOTHING)).abs()
    assert float(difference[0, :, -1, -1].max()) > 1e-4


def test_left_is_not_right() -> None:
    """Without positions, mirrored places would give mirrored answers."""
    module, x = made(), torch.randn(1, 16, 4, 6)
    with torch.inference_mode():
        mirrored = module(x.flip(3), NOTHING).flip(3)
        assert not torch.allclose(mirrored, module(x, NOTHING), atol=1e-3)


def test_beside_is_not_above() -> None:
    """The same two places answer differently as a row and as a column."""
    module, two = made(), torch.randn(1, 16, 1, 2)
    module.places.qkv.weight.data.mul_(2)
    with torch.inference_mode():
        alone = module(two, NOTHING)
        tall = module(two.transpose(2, 3), NOTHING).transpose(2, 3)
    assert not torch.allclose(alone, tall, atol=1e-4)


def test_words_are_heard_and_masked_words_are_not() -> None:
    module, x, said = made(), torch.randn(2, 16, 3, 3), torch.randn(2, 4, 6)
    mask = torch.tensor([[True, True, False, False], [False] * 4])
    other = torch.where(mask[..., None], said, -said)
    with torch.inference_mode():
        one, two = (module(x, Prompt(each, mask, None)) for each in (said, other))
        silent = module(x, NOTHING)
    torch.testing.assert_close(one, two)
    torch.testing.assert_close(one[1], silent[1])
    assert float((one[0] - silent[0]).abs().max()) > 1e-3
