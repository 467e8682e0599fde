"""One tiny trained run on drawn shapes, shared by the tests of recipes and of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

import unfog
from unfog.data.toy import write_shapes

TINY = ("train.batch=16", "sampling.steps=4", "network.widths=[16,16]", "train.warmup=5")


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sixty 16 x 16 pictures in classes."""
    return write_shapes(tmp_path_factory.mktemp("data") / "shapes 形状", count=60, size=16)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, shapes: Path) -> Path:
    """A finished run of 24 steps."""
    out = tmp_path_factory.mktemp("runs") / "tiny"
    unfog.train("image", shapes, out, steps=24, settings=TINY, samples=24)
    return out


TINY_CODEC = ("train.batch=8", "codec.widths=[8,8]", "codec.factor=4", "tiny.width=8", "train.warmup=5")


@pytest.fixture(scope="session")
def codec_run(tmp_path_factory: pytest.TempPathFactory, shapes: Path) -> Path:
    """A finished run of the codec recipe, of 12 steps: 16 x 16 pictures as 4 x 4 latents."""
    out = tmp_path_factory.mktemp("runs") / "codec"
    unfog.train("codec", shapes, out, steps=12, settings=TINY_CODEC, samples=8)
    return out


@pytest.fixture(scope="session")
def latent_run(tmp_path_factory: pytest.TempPathFactory, shapes: Path, codec_run: Path) -> Path:
    """A finished run of the image recipe in the latents of that codec, of 12 steps."""
    out = tmp_path_factory.mktemp("runs") / "latent"
    unfog.train("image", shapes, out, steps=12, settings=TINY, samples=0, codec=codec_run / "model")
    return out


COLOURS = {"red": ((220, 30, 30), "红色"), "blue": ((30, 30, 220), "蓝色"), "green": ((20, 180, 40), "绿色")}
TINY_PAIRS = ("train.batch=16", "gaze.widths=[8,16]", "gaze.head=8", "gaze.words=4", "gaze.word=8")
TINY_PRIOR = ("prior.width=32", "prior.depth=1", "text.encoder.depth=1", "text.encoder.head=16")


@pytest.fixture(scope="session")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty-eight squares of three colours, told in two languages; one without a word."""
    import numpy as np
    from PIL import Image

    folder, rng = tmp_path_factory.mktemp("coloured"), np.random.default_rng(0)
    for i in range(48):
        name = list(COLOURS)[i % 3]
        colour, chinese = COLOURS[name]
        pixels = np.full((8, 8, 3), colour, np.int64) + rng.integers(-20, 21, 3)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{i:02}.png")
        if i:
            (folder / f"{i:02}.txt").write_text(f"a {name} square\n{chinese}的方块", "utf-8")
    return folder


@pytest.fixture(scope="session")
def pairs_run(tmp_path_factory: pytest.TempPathFactory, coloured: Path) -> Path:
    """A finished run of the pairs recipe, of 100 steps, on the coloured squares."""
    out = tmp_path_factory.mktemp("runs") / "pairs"
    settings = (*TINY_PAIRS, *TINY_PRIOR, "data.held_out=0.3")
    unfog.train("pairs", coloured, out, steps=100, preset="tiny", settings=settings)
    return out


TINY_DRAWER = ("network.kind=unet", "network.widths=[16]", "network.context=32", "network.head=16")


@pytest.fixture(scope="session")
def visual_run(tmp_path_factory: pytest.TempPathFactory, coloured: Path, pairs_run: Path) -> Path:
    """A finished run that draws coloured squares from the visual words of that pair model."""
    out = tmp_path_factory.mktemp("runs") / "likeness"
    settings = (*TINY_DRAWER, "train.batch=16")
    unfog.train("text2image", coloured, out, steps=200, pairs=pairs_run, settings=settings, samples=8)
    return out


@pytest.fixture(scope="session")
def words_run(tmp_path_factory: pytest.TempPathFactory, coloured: Path) -> Path:
    """A finished run that draws coloured squares from words."""
    out = tmp_path_factory.mktemp("runs") / "squares"
    words = ("text.encoder.depth=1", "text.encoder.head=16", "train.batch=16")
    unfog.train("text2image", coloured, out, steps=160, settings=(*TINY_DRAWER, *words), samples=8)
    return out
