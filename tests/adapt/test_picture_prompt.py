"""A model that learned pictures as prompts: the same as before without one, and nothing old has moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.given import enliven, pictures, small_drawer, small_model, small_pairs
from unfog.adapt import with_picture_prompts
from unfog.errors import ModelError
from unfog.model import PictureModel, load_pictures
from unfog.nets.attention import PictureKeys

IMAGE = pictures(1, channels=3)[0]


def grown(size: float = 0.0) -> PictureModel:
    model = with_picture_prompts(small_drawer(), small_pairs())
    for part in model.denoiser.modules():
        if isinstance(part, PictureKeys):
            enliven(part, size)
    return model.eval()


def drawn(model: PictureModel, **how: object) -> np.ndarray:
    return np.stack([np.asarray(each) for each in model.generate(2, seed=3, **how)])


def test_it_draws_what_it_drew_and_hears_nothing_of_pictures_yet() -> None:
    before, model = small_drawer(), grown()
    assert np.array_equal(drawn(model, prompt="a red circle"), drawn(before, prompt="a red circle"))
    like = drawn(model, prompt="a red circle", like=IMAGE)
    assert np.array_equal(like, drawn(before, prompt="a red circle"))


def test_words_alone_stay_as_they_were_whatever_was_learned() -> None:
    before, model = small_drawer(), grown(0.5)
    for how in ({"prompt": "a red circle"}, {"prompt": "红色的圆", "negative": "two blue squares"}, {}):
        assert np.array_equal(drawn(model, **how), drawn(before, **how))
    assert not np.array_equal(
        drawn(model, prompt="a red circle", like=IMAGE), drawn(before, prompt="a red circle")
    )
    assert not np.array_equal(drawn(model, like=IMAGE), drawn(model, like=255 - IMAGE))


def test_only_what_is_new_learns() -> None:
    model = grown()
    learned = {name for name, p in model.named_parameters() if p.requires_grad}
    assert learned and all(".picture." in name for name in learned)
    assert {name.split(".")[0] for name in learned} == {"denoiser", "encoder"}
    shared = {n: w for n, w in small_drawer().state_dict().items() if not n.startswith("encoder.")}
    assert all(torch.equal(model.state_dict()[name], weight) for name, weight in shared.items())


def test_saved_and_loaded_it_draws_the_same(tmp_path: Path) -> None:
    model = grown(0.5)
    fingerprint = model.save(tmp_path / "model")
    again = load_pictures(tmp_path / "model")
    assert again.fingerprint() == fingerprint
    assert np.array_equal(drawn(again, like=IMAGE), drawn(model, like=IMAGE))


def test_models_that_cannot_grow_say_so() -> None:
    with pytest.raises(ModelError, match="reads none"):
        with_picture_prompts(small_model(), small_pairs())
    with pytest.raises(ModelError, match="already"):
        with_picture_prompts(grown(), small_pairs())
