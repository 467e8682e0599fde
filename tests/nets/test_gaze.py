"""The picture encoder: any size in, length 1 out, and words that are the embedding in pieces."""

from __future__ import annotations

import pytest
import torch

from unfog.errors import ConfigError
from unfog.nets.gaze import Gaze, GazeConfig, words_of

SMALL = GazeConfig(widths=(8, 16), words=3, word=5, head=8, dropout=0.0)


@pytest.mark.parametrize("side", [(1, 1), (8, 8), (9, 13), (32, 32)])
def test_pictures_of_any_size(side: tuple[int, int]) -> None:
    found = Gaze(SMALL)(torch.rand(2, 3, *side) * 2 - 1)
    assert found.shape == (2, SMALL.embedding) == (2, 15)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))


def test_words_are_the_embedding_in_pieces_of_variance_one() -> None:
    found = torch.nn.functional.normalize(torch.randn(4, 15), dim=1)
    words = words_of(found, 3)
    assert words.shape == (4, 3, 5)
    torch.testing.assert_close(words.square().mean((1, 2)), torch.ones(4))
    torch.testing.assert_close(words.flatten(1) / 15**0.5, found)


def test_every_word_looks_for_itself_and_all_learn() -> None:
    gaze = Gaze(SMALL)
    found = gaze(torch.rand(4, 3, 8, 8))
    first, second, _ = words_of(found, 3).unbind(1)
    assert not torch.allclose(first, second)
    (found @ torch.randn(15)).sum().backward()
    assert all(p.grad is not None for p in gaze.parameters())


@pytest.mark.parametrize(
    "wrong", [{"widths": (8, 12), "head": 8}, {"widths": 8}, {"words": 0}, {"dropout": 1.0}]
)
def test_shapes_that_do_not_fit_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"gaze\."):
        GazeConfig(**wrong)
