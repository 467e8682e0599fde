"""Models of pictures in latents: encoded once, and every command knows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unfog
from tests.recipes.conftest import TINY
from unfog.codec import latent_cache
from unfog.errors import ModelError, SampleError, TrainError
from unfog.model import load_codec, load_pictures
from unfog.recipes import image
from unfog.recipes.assess import evaluate_model
from unfog.recipes.between import interpolate
from unfog.recipes.draw import again, draw
from unfog.recipes.explain_subject import ModelSubject
from unfog.recipes.latents import open_codec
from unfog.recipes.likelihood import measure_likelihood
from unfog.recipes.listen import Silent


class Hearing(Silent):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def prepared(shapes: Path, codec_run: Path, listener: Silent, **data: Any) -> Any:
    given = image.DataConfig(source=str(shapes), codec=str(codec_run / "model"), **data)
    return image.prepare(image.ImageConfig(data=given), listener)


def test_batches_are_latents_that_fit_the_model(shapes: Path, codec_run: Path) -> None:
    ready = prepared(shapes, codec_run, Silent())
    config = image.ImageConfig(data=image.DataConfig(source=str(shapes)))
    kept, labels = ready.batches(config)(0)
    assert kept.shape[1:] == (4, 4, 4) and kept.dtype.is_floating_point and labels is not None
    x = ready.model.codec.normalise(kept)
    assert float(x.mean().abs()) < 0.3 and 0.7 < float(x.std()) < 1.3
    assert ready.model.spec.latent["codec"] == load_codec(codec_run).fingerprint()
    assert ready.key != ready.digest
    raw = ready.store.images[ready.store.train]
    whole = ready.model.codec.encode(image.torch.from_numpy(raw).permute(0, 3, 1, 2))
    assert float(whole.mean()) == pytest.approx(0, abs=1e-2)
    assert float(whole.std()) == pytest.approx(1, abs=1e-2)


def test_pictures_are_encoded_once(shapes: Path, codec_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(shapes, codec_run, Silent())

    def never(*_: object) -> None:
        raise AssertionError("encoded again")

    monkeypatch.setattr(latent_cache, "_write", never)
    prepared(shapes, codec_run, Silent())


def test_a_damaged_cache_is_made_again_and_said_so(shapes: Path, codec_run: Path) -> None:
    ready, hearing = prepared(shapes, codec_run, Silent()), Hearing()
    folder = latent_cache.latents_folder(
        ready.store.images.shape, ready.digest, load_codec(codec_run).fingerprint()
    )
    raw = (folder / "latents.npy").read_bytes()
    (folder / "latents.npy").write_bytes(raw[:-1] + bytes([raw[-1] ^ 255]))
    prepared(shapes, codec_run, hearing)
    assert any("made again" in said for said in hearing.said)
    assert (folder / "latents.npy").read_bytes() == raw


@pytest.mark.parametrize(
    ("data", "word"), [({"size": 32}, "16 x 16"), ({"channels": 1}, "3 channel"), ({"flip": True}, "flip")]
)
def test_what_does_not_fit_the_codec_is_named(
    shapes: Path, codec_run: Path, data: dict[str, Any], word: str
) -> None:
    with pytest.raises(TrainError, match=word):
        prepared(shapes, codec_run, Silent(), **data)


def test_what_is_no_codec_is_named(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no codec"):
        open_codec(run / "model")
    with pytest.raises(ModelError):
        open_codec(tmp_path)


def test_a_model_in_latents_lends_its_codec(latent_run: Path, shapes: Path, tmp_path: Path) -> None:
    lender = load_pictures(latent_run)
    model = unfog.train(
        "image", shapes, tmp_path / "run", steps=2, settings=TINY, samples=0, codec=latent_run
    )
    x = lender.codec.encode(torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8))
    assert torch.allclose(lender.codec.decode(x).float(), model.codec.decode(x).float(), atol=1)
    assert model.spec.latent["codec"] == load_codec(latent_run).fingerprint()
    with pytest.raises(TrainError, match="16 x 16"):
        prepared(shapes, latent_run, Silent(), size=32)


def test_every_command_knows_models_in_latents(
    latent_run: Path, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_pictures(latent_run)
    assert model.spec.latent and model.codec.latent == (4, 4, 4)
    saved, film = draw(model, tmp_path / "drawn", 3, film=True)
    assert film is not None and film.is_file()
    once_more = again(saved.files[1], tmp_path / "again", model=model)
    assert once_more.read_bytes() == saved.files[1].read_bytes()
    assert interpolate(model, saved.files[:2], tmp_path / "between", 2).grid.is_file()
    values = evaluate_model(model, shapes, 12).values
    assert values["samples"] == 12
    assert json.dumps(values)
    subject = ModelSubject(model, str(shapes), 0, Silent())
    assert subject.to_pictures(subject.shown.x[:1]).shape == (1, 16, 16, 3)
    with pytest.raises(SampleError, match="density is not that of pixels"):
        measure_likelihood(model, shapes, 2)


def test_a_resumed_run_finds_its_codec(latent_run: Path) -> None:
    before = load_pictures(latent_run).fingerprint()
    assert unfog.train("image", out=latent_run, resume=True, samples=0).fingerprint() == before
    assert "codec = " in (latent_run / "config.toml").read_text("utf-8")


def test_an_autoencoder_of_diffusers_is_a_codec(tmp_path: Path, shapes: Path) -> None:
    from tests.interop.test_diffusers_vae import made

    made(tmp_path / "vae", {"norm_num_groups": 8, "block_out_channels": (8, 16)})
    out = tmp_path / "run"
    model = unfog.train("image", shapes, out, steps=2, settings=TINY, samples=0, codec=tmp_path / "vae")
    assert np.asarray(model.generate(1)[0]).shape == (16, 16, 3)
    assert load_pictures(out).fingerprint() == model.fingerprint()
