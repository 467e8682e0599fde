"""A codec as a model of its own, and inside of a model that works in its latents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.given import pictures, small_codec, small_latent_model, small_model
from unfog.errors import ModelError
from unfog.model import DiffusionModel, PictureModel, load, load_codec, load_pictures, load_text
from unfog.model.codec import codec_from, latent_part
from unfog.weights import early_weights

IMAGES = pictures(6, channels=3)


@pytest.mark.parametrize("kind", ["kl", "vq", "fsq"])
def test_saved_and_loaded_it_is_the_same(tmp_path: Path, kind: str) -> None:
    model = small_codec(kind=kind)
    fingerprint = model.save(tmp_path / "codec")
    again = load(tmp_path / "codec")
    assert again.fingerprint() == fingerprint
    assert np.array_equal(load_codec(tmp_path / "codec").reconstruct(IMAGES), model.reconstruct(IMAGES))
    assert not isinstance(again, DiffusionModel)


def test_there_and_back_in_pictures() -> None:
    model = small_codec()
    latents = model.encode(IMAGES)
    assert latents.shape == (6, 3, 2, 2) and model.shape == (3, 8, 8)
    assert np.array_equal(model.decode(latents), model.reconstruct(IMAGES))
    assert model.decode(latents, quick=True).shape == IMAGES.shape


def test_it_makes_nothing_and_says_what_does(tmp_path: Path) -> None:
    model = small_codec()
    model.save(tmp_path / "codec")
    for ask in (load_pictures, load_text):
        with pytest.raises(ModelError, match="unfog train image --codec"):
            ask(tmp_path / "codec")
    with pytest.raises(ModelError, match="--codec"):
        model.generate(1)
    small_model().save(tmp_path / "other")
    with pytest.raises(ModelError, match="no codec"):
        load_codec(tmp_path / "other")


def test_channels_must_fit() -> None:
    model = small_codec()
    with pytest.raises(ModelError, match="channels"):
        codec_from(small_codec(channels=1).codec.statistics, latent_part(model.codec, "x"))


def test_a_model_in_latents_carries_its_codec(tmp_path: Path) -> None:
    model = small_latent_model()
    assert model.shape == (3, 8, 8) and model.codec.latent == (3, 2, 2)
    names = [name for name, _ in model.named_parameters() if name.startswith("codec.")]
    assert names and not any(p.requires_grad for n, p in model.named_parameters() if n in names)
    frozen = sum(p.numel() for n, p in model.named_parameters() if n in names)
    assert model.count_parameters() == sum(p.numel() for p in model.parameters()) - frozen
    fingerprint = model.save(tmp_path / "model")
    again = load_pictures(tmp_path / "model")
    assert again.fingerprint() == fingerprint
    assert np.array_equal(again.draw(None, 3, seed=1), model.draw(None, 3, seed=1))
    assert model.draw(None, 2).shape == (2, 8, 8, 3)
    assert model.draw(None, 2, quick=True).shape == (2, 8, 8, 3)


def test_a_weaker_self_shares_the_codec() -> None:
    model = small_latent_model()
    model.early = early_weights(model.learned_state())
    assert not any(name.startswith("codec.") for name in model.early.read())
    weaker = model.weaker()
    assert isinstance(weaker, PictureModel)
    for name, weight in model.codec.state_dict().items():
        assert torch.equal(weaker.codec.state_dict()[name], weight)
    drawn = model.draw(None, 1, sampling=model.settings(autoguidance=1.5))
    assert drawn.shape == (1, 8, 8, 3)


def test_models_in_pixels_keep_their_fingerprints() -> None:
    """A field that is empty does not count, as if it had never been there."""
    model = small_model()
    assert model.spec.latent == {}
    with_one = small_latent_model()
    assert with_one.fingerprint() != model.fingerprint()
    assert model.fingerprint() == small_model().fingerprint()
    assert model.learned_state().keys() == model.state_dict().keys()


def test_a_loss_guides_through_the_decoder() -> None:
    model = small_latent_model()
    dark = model.generate(2, seed=0, loss=lambda pictures: pictures.flatten(1).mean(1) * 500, loss_scale=1.0)
    plain = model.generate(2, seed=0)
    assert np.mean([np.asarray(p) for p in dark]) < np.mean([np.asarray(p) for p in plain])
