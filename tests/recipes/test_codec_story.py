"""What is told about a codec: figures, and warnings that say what to change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.given import pictures, small_codec
from unfog.data import open_pictures
from unfog.errors import DataError
from unfog.evaluate.figure import Figure
from unfog.evaluate.reconstruction import Reconstruction
from unfog.model import load_codec
from unfog.recipes.codec_story import evaluate_codec, learn_about, lines_of, warnings_of
from unfog.recipes.listen import Silent


def figure(value: float, half: float = 0.1) -> Figure:
    return Figure(value, value - half, value + half, 100)


def found(psnr: float = 35.0, ssim: float = 0.97, finest: float = 0.1) -> Reconstruction:
    return Reconstruction(figure(psnr), figure(ssim), np.full(4, psnr), None, [finest, 0.1, 0.01, 0.0])


GOOD = (figure(2.0), figure(1.9), figure(0.1))


def test_a_good_codec_gets_no_warning() -> None:
    assert warnings_of(small_codec(), found(), GOOD, None) == []


@pytest.mark.parametrize(
    ("kept", "distances", "use", "word"),
    [
        (found(psnr=20), GOOD, None, "20.0 dB"),
        (found(ssim=0.5), GOOD, None, "SSIM 0.50"),
        (found(finest=0.7), GOOD, None, "70% of the finest"),
        (found(), (figure(4.0), figure(2.0), None), None, "2.0 times as far"),
        (found(), GOOD, (3.0, 0.1), "10% of the codes"),
    ],
)
def test_what_is_not_good_enough_says_what_to_change(
    kept: Reconstruction,
    distances: tuple[Figure | None, Figure | None, Figure | None],
    use: tuple[float, float] | None,
    word: str,
) -> None:
    (warning,) = warnings_of(small_codec(), kept, distances, use)
    assert word in warning and "--set" in warning


def test_distances_that_may_be_chance_are_no_warning() -> None:
    wide = (figure(4.0, 3.0), figure(2.0, 2.0), None)
    assert warnings_of(small_codec(), found(), wide, None) == []


def test_a_silent_channel_is_named() -> None:
    model = small_codec()
    latents = replace(model.codec.latents, std=(1.0, 0.01, 2.0))
    model.codec.remeasure(model.codec.statistics, latents)
    (warning,) = warnings_of(model, found(), GOOD, None)
    assert "Channel 2" in warning and "codec.latent=2" in warning


@pytest.mark.parametrize("kind", ["kl", "vq"])
def test_everything_is_measured(shapes: Path, kind: str) -> None:
    store = replace(open_pictures(shapes, size=8), held_out=np.arange(20), train=np.arange(20, 60))
    model = small_codec(kind=kind)
    told = learn_about(model, store, Silent())
    assert told.distance is not None and told.floor is not None and told.apart is not None
    assert (told.use is None) == (kind == "kl")
    names = [row[0] for row in told.rows()]
    assert ("codes in use" in names) == (kind == "vq") and "PSNR of previews, dB" in names
    assert told.values()["psnr"]["value"] == told.found.psnr.value
    assert any("dB" in line for line in lines_of(told, model))
    assert ("Codes in use" in lines_of(told, model)[-1]) == (kind == "vq")


def test_evaluation_has_the_figures_of_the_report(codec_run: Path, shapes: Path, tmp_path: Path) -> None:
    model = load_codec(codec_run)
    told = evaluate_codec(model, shapes)
    assert told.values["figures"]["psnr"]["value"] == pytest.approx(
        model.history[-1]["data"]["psnr"], abs=0.01
    )
    assert [row[0] for row in told.rows][:2] == ["PSNR, dB", "SSIM"]
    assert not any("another content hash" in note for note in told.notes)
    from PIL import Image

    Image.fromarray(pictures(1, size=16, channels=3)[0]).save(tmp_path / "one.png")
    with pytest.raises(DataError, match="held-out"):
        evaluate_codec(model, tmp_path / "one.png")
