"""Words and a picture beside them: either may be silent, and the picture's length is its weight."""

from __future__ import annotations

import torch

from tests.given import enliven
from unfog.condition import PicturePrompt, TextEncoder, TextEncoderConfig, Words, WordsAndPicture

SEEN = torch.nn.functional.normalize(torch.randn(3, 12, generator=torch.Generator().manual_seed(0)), dim=1)
WORDS = Words(torch.randn(3, 4, 5), torch.ones(3, 4).bool(), torch.ones(3).bool())


def encoder() -> WordsAndPicture:
    text = TextEncoder(TextEncoderConfig(states=5, width=8, vector=6, head=4))
    found = WordsAndPicture(text, PicturePrompt(12, 3, 7))
    enliven(found, 0.3)
    return found


def test_each_goes_its_own_way() -> None:
    both = encoder()
    cond, words = both((WORDS, SEEN)), both.words(WORDS)
    assert cond.picture is not None and cond.picture.shape == (3, 3, 7)
    for name, slot in words.slots().items():
        assert torch.equal(cond.slots()[name], slot)
    again = both.of(*WORDS.tensors(), SEEN)
    assert all(torch.equal(slot, again.slots()[name]) for name, slot in cond.slots().items())


def test_length_is_weight_and_none_says_nothing() -> None:
    prompt = encoder().picture
    whole = prompt(SEEN)
    torch.testing.assert_close(prompt(SEEN * 0.5), whole * 0.5)
    torch.testing.assert_close(whole.square().mean((1, 2)), torch.ones(3), rtol=1e-3, atol=0)
    assert torch.equal(prompt(torch.zeros(2, 12)), torch.zeros(2, 3, 7))


def test_what_is_hidden_is_the_null() -> None:
    both = encoder()
    hidden = torch.ones(3, dtype=torch.bool)
    cond = both.of(*both.hide((*WORDS.tensors(), SEEN), hidden))
    null = both.null(3).padded(4).slots()
    for name, slot in cond.slots().items():
        torch.testing.assert_close(slot, null[name])
