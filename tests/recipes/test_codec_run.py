"""A run of the codec recipe, from end to end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import unfog
from tests.recipes.conftest import TINY_CODEC
from unfog.data import open_pictures
from unfog.errors import UsageError
from unfog.model import CodecModel, load_codec
from unfog.output.provenance import read_provenance
from unfog.train.run import read_log


def test_a_codec_knows_its_pictures_and_its_latents(codec_run: Path, shapes: Path) -> None:
    model = load_codec(codec_run)
    store = open_pictures(shapes, size=16)
    x = model.encode(store.images[store.train])
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(4), rtol=0, atol=1e-3)
    torch.testing.assert_close(x.std((0, 2, 3)), torch.ones(4), rtol=1e-2, atol=1e-2)
    made = model.history[-1]
    assert made["data"]["psnr"] > 5 and 0 < made["data"]["ssim"] < 1
    assert model.spec.size == 16 and model.early.hash == ""


def test_what_a_run_leaves(codec_run: Path) -> None:
    entry = read_provenance(codec_run / "model" / "preview.png")
    assert entry is not None and entry.recipe == "codec"
    card = (codec_run / "model" / "card.md").read_text("utf-8")
    assert "4 x 4 latents of 4 channels" in card and "dB (PSNR)" in card
    page = (codec_run / "report.html").read_text("utf-8")
    assert "PSNR" in page and "--set codec.latent=8" in page
    assert {row["event"] for row in read_log(codec_run) if "event" in row} >= {"validation", "finished"}


def test_a_preview_shows_pictures_beside_what_comes_back(tmp_path: Path, shapes: Path) -> None:
    from unfog.recipes import codec
    from unfog.recipes.listen import Silent

    config = codec.CodecConfig(data=codec.CodecDataConfig(source=str(shapes)), codec={"widths": [8]})
    prepared = codec.prepare(config, Silent())
    (tmp_path / "previews").mkdir()
    assert prepared.preview(tmp_path, 7, "hash") == []
    assert (tmp_path / "previews" / "step-00000007.png").is_file()


@pytest.mark.parametrize("kind", ["vq", "fsq"])
def test_stopped_and_resumed_it_is_the_same(tmp_path: Path, shapes: Path, kind: str) -> None:
    """Also with a judge, which lives in checkpoints only."""
    from unfog.train.checkpoint import load_checkpoint

    settings = (*TINY_CODEC, f"codec.kind={kind}", "codec.codes=16", "train.adversarial=0.1")
    out = tmp_path / "run"
    model = unfog.train("codec", shapes, out, steps=4, settings=settings, samples=0)
    assert isinstance(model, CodecModel)
    checkpoint, complaints = load_checkpoint(out)
    assert checkpoint is not None and not complaints
    assert any(name.startswith("weights.judge.") for name in checkpoint.tensors)
    again = unfog.train("codec", out=out, resume=True, samples=0)
    assert again.fingerprint() == model.fingerprint()
    pictures = np.zeros((1, 16, 16, 3), np.uint8)
    assert np.array_equal(load_codec(out).reconstruct(pictures), model.reconstruct(pictures))


def test_codecs_do_not_work_in_latents_of_others(tmp_path: Path, shapes: Path, codec_run: Path) -> None:
    with pytest.raises(UsageError, match="--codec"):
        unfog.train("codec", shapes, tmp_path / "run", steps=2, codec=codec_run)
