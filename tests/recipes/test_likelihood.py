"""Bits per value: the unit, the split, what is repeatable, and that the bound is one."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import unfog
from unfog.errors import DataError
from unfog.recipes import likelihood
from unfog.recipes.likelihood import measure_likelihood


def test_uniform_pictures_take_eight_bits(run: Path) -> None:
    """A density of 1 / 256 for every grey level, moved to x by the codec, is 8 bits per value."""
    model = unfog.load(run)
    channels, height, width = model.shape
    stds = model.codec.statistics.std
    nats = -height * width * sum(math.log(256 / (255 * std)) for std in stds)
    bits = likelihood._bits(model, torch.tensor([nats], dtype=torch.float64))
    assert bits.tolist() == pytest.approx([8.0])
    assert channels == len(stds)


def test_dequantised_pictures_lie_around_their_values(run: Path, shapes: Path) -> None:
    model = unfog.load(run)
    images = np.full((4, 16, 16, 3), 200, np.uint8)
    grey = 255 * model.codec.to_unit(likelihood._continuous(model, images, seed=1))
    assert 199.5 <= float(grey.min()) < 199.6 and 200.4 < float(grey.max()) <= 200.5 + 1e-3


def test_held_out_pictures_are_weighed(run: Path, shapes: Path) -> None:
    model = unfog.load(run)
    one, two = (measure_likelihood(model, shapes, 4, tolerance=1e-3, levels=32) for _ in range(2))
    assert one.exact == two.exact and one.unusual == two.unusual
    assert one.exact.value is not None and one.bound.value is not None
    assert 0 < one.exact.value < one.bound.value < 16
    bits = [value for _, value in one.unusual]
    assert bits == sorted(bits, reverse=True) and len(bits) == one.exact.n
    assert not one.notes


def test_training_lowers_the_bits(run: Path, shapes: Path) -> None:
    """A model of 24 steps against the same one without its weights."""
    trained, blank = unfog.load(run), unfog.load(run)
    for parameter in blank.parameters():
        torch.nn.init.zeros_(parameter)
    found = [measure_likelihood(m, shapes, 4, tolerance=1e-3, levels=32) for m in (trained, blank)]
    assert found[0].exact.value is not None and found[1].exact.value is not None
    assert found[0].exact.value < found[1].exact.value - 0.2


def test_data_without_held_out_pictures_is_refused(run: Path, tmp_path: Path) -> None:
    from unfog.data.toy import write_shapes

    one = write_shapes(tmp_path / "one", count=3, size=16)
    for path in sorted(one.rglob("*.png"))[1:]:
        path.unlink()
    with pytest.raises(DataError):
        measure_likelihood(unfog.load(run), one)
