"""A picture's visual words as a condition: nothing says nothing, and blur is as long as it should be."""

from __future__ import annotations

import pytest
import torch

from tests.given import enliven
from unfog.condition import PictureEncoder, PictureEncoderConfig
from unfog.condition.image import blurred
from unfog.errors import ConfigError, DataError

SEEN = torch.nn.functional.normalize(torch.randn(5, 12, generator=torch.Generator().manual_seed(0)), dim=1)


def encoder() -> PictureEncoder:
    found = PictureEncoder(PictureEncoderConfig(size=12, words=3, width=8, vector=6))
    enliven(found, 0.3)
    return found


def test_slots_and_their_shapes() -> None:
    cond = encoder()(SEEN)
    assert cond.vector is not None and cond.tokens is not None and cond.mask is not None
    assert cond.vector.shape == (5, 6) and cond.tokens.shape == (5, 3, 8) and bool(cond.mask.all())


def test_what_is_hidden_is_the_null_and_others_stay() -> None:
    looking = encoder()
    hidden = torch.tensor([True, False, False, True, False])
    cond, whole, null = looking.of(*looking.hide((SEEN,), hidden)), looking(SEEN), looking.null(5)
    assert cond.mask is not None and cond.mask.sum(1).tolist() == [1, 3, 3, 1, 3]
    for name, slot in cond.slots().items():
        torch.testing.assert_close(slot[~hidden], whole.slots()[name][~hidden])
    nothing = null.padded(3).slots()
    for name, slot in cond.slots().items():
        torch.testing.assert_close(slot[hidden], nothing[name][hidden])


def test_each_word_is_a_token_of_its_own_place() -> None:
    looking = encoder()
    same = torch.nn.functional.normalize(torch.ones(1, 12), dim=1)
    tokens = looking(same).tokens
    assert tokens is not None and not torch.allclose(tokens[0, 0], tokens[0, 1])
    other = SEEN[:1].clone()
    other[:, 4:8] += 0.3
    before, after = looking(SEEN[:1]).tokens, looking(other).tokens
    assert before is not None and after is not None
    torch.testing.assert_close(before[0, [0, 2]], after[0, [0, 2]])
    assert not torch.allclose(before[0, 1], after[0, 1])


def test_blur_turns_an_embedding_by_its_amount() -> None:
    noise = torch.randn(2000, 256)
    one = torch.nn.functional.normalize(torch.randn(1, 256), dim=1).expand(2000, -1)
    torch.testing.assert_close(blurred(one, noise, 0.0), one)
    for amount in (0.5, 1.0):
        found = (blurred(one, noise, amount) * one).sum(1).mean()
        assert float(found) == pytest.approx((1 + amount**2) ** -0.5, abs=0.01)
    each = blurred(one, noise, torch.linspace(0, 1, 2000))
    torch.testing.assert_close(each.norm(dim=1), torch.ones(2000))


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ConfigError, match="multiple of pairs"):
        PictureEncoderConfig(size=10, words=3)
    with pytest.raises(ConfigError, match="width"):
        PictureEncoderConfig(size=12, words=3, width=0)
    with pytest.raises(DataError, match="12 numbers"):
        encoder()(torch.zeros(2, 7))
