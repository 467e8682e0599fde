"""A pair model: saved and read again, one space for pictures and texts, and a prior that is a diffusion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.given import pictures, small_model, small_pairs
from unfog.errors import ModelError
from unfog.model import DiffusionModel, load, load_pairs, load_pictures, load_text
from unfog.model.pairs import fitted

IMAGES = pictures(70, channels=3)
TEXTS = ["a red circle", "红色的圆", ""]


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    model = small_pairs()
    fingerprint = model.save(tmp_path / "pairs")
    again = load_pairs(tmp_path / "pairs")
    assert again.fingerprint() == fingerprint and not isinstance(load(tmp_path / "pairs"), DiffusionModel)
    assert torch.equal(again.embed_pictures(IMAGES), model.embed_pictures(IMAGES))
    assert torch.equal(again.embed_texts(TEXTS), model.embed_texts(TEXTS))


def test_embeddings_have_length_one_and_silence_has_none() -> None:
    model = small_pairs()
    torch.testing.assert_close(model.embed_pictures(IMAGES).norm(dim=1), torch.ones(70))
    torch.testing.assert_close(model.embed_texts(TEXTS).norm(dim=1), torch.tensor([1.0, 1.0, 0.0]))
    assert model.embed_pictures(IMAGES[:0]).shape == model.embed_texts([]).shape == (0, 12)
    # neighbours in the batch do not matter
    torch.testing.assert_close(model.embed_pictures(IMAGES[5:6])[0], model.embed_pictures(IMAGES)[5])
    torch.testing.assert_close(model.embed_texts(TEXTS[:1])[0], model.embed_texts(TEXTS)[0])


def test_pictures_of_other_sizes_and_colours_are_fitted() -> None:
    grey = torch.full((1, 1, 30, 20), 100, dtype=torch.uint8)
    torch.testing.assert_close(fitted(grey, (3, 8, 8)), torch.full((1, 3, 8, 8), 100 / 127.5 - 1))
    red = torch.tensor([255, 0, 0], dtype=torch.uint8)[None, :, None, None].expand(1, 3, 4, 4)
    torch.testing.assert_close(fitted(red, (1, 8, 8)), torch.full((1, 1, 8, 8), 2 * 0.299 - 1))
    model = small_pairs()
    large = IMAGES[:2].repeat(4, 1).repeat(4, 2)
    assert torch.cosine_similarity(model.embed_pictures(large), model.embed_pictures(IMAGES[:2])).min() > 0.95
    assert model.embed_pictures(IMAGES[:1, :, :, :1]).shape == (1, 12)


def test_what_is_imagined_belongs_to_its_place_and_seed() -> None:
    model = small_pairs()
    said = model.embed_texts(TEXTS)
    found = model.imagine(said, seed=3)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(model.imagine(said[1:2], seed=3, indices=[1])[0], found[1])
    assert not torch.allclose(model.imagine(said, seed=4), found)
    assert model.imagine(said[:0]).shape == (0, 12)


def test_of_several_tries_the_nearest_to_the_text_is_kept() -> None:
    model = small_pairs()
    said = model.embed_texts(TEXTS[:2])
    alone = [model.imagine(said, seed=k, tries=1) for k in range(3)]
    likeness = torch.stack([(each * said).sum(1) for each in alone])
    best = model.imagine(said, seed=0, tries=3)
    torch.testing.assert_close((best * said).sum(1), likeness.max(0).values)


def test_it_draws_nothing_and_says_what_does(tmp_path: Path) -> None:
    small_pairs().save(tmp_path / "pairs")
    for ask in (load_pictures, load_text):
        with pytest.raises(ModelError, match="text2image --pairs"):
            ask(tmp_path / "pairs")
    with pytest.raises(ModelError, match="draws nothing"):
        small_pairs().generate(1)
    small_model().save(tmp_path / "other")
    with pytest.raises(ModelError, match="no pair model"):
        load_pairs(tmp_path / "other")


def test_dropout_is_off_while_embedding() -> None:
    model = small_pairs(gaze={"widths": [8, 16], "words": 3, "word": 4, "head": 8, "dropout": 0.5}).train()
    one, two = model.embed_pictures(IMAGES[:4]), model.embed_pictures(IMAGES[:4])
    assert model.training and np.array_equal(one, two)
