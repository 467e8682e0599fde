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
