"""Between two pictures: the ends come back, and the way is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import unfog
from unfog.errors import DataError, SampleError
from unfog.output.provenance import read_provenance
from unfog.recipes.between import interpolate
from unfog.recipes.draw import again


@pytest.fixture(scope="module")
def two(shapes: Path) -> list[Path]:
    return sorted(shapes.rglob("*.png"))[::40][:2]


@pytest.mark.parametrize("label", [None, 0])
def test_the_ends_are_the_two_pictures(run: Path, two: list[Path], tmp_path: Path, label: int | None) -> None:
    saved = interpolate(unfog.load(run), two, tmp_path, 4, label=label)
    assert len(saved.files) == 4
    drawn = [np.asarray(Image.open(file).convert("RGB")).astype(float) for file in saved.files]
    for ours, path in ((drawn[0], two[0]), (drawn[-1], two[1])):
        real = np.asarray(Image.open(path).convert("RGB")).astype(float)
        assert np.abs(ours - real).mean() < 12, "of 255"
    assert np.abs(drawn[0] - drawn[-1]).mean() > 20


def test_files_say_where_they_are_between(run: Path, two: list[Path], tmp_path: Path) -> None:
    saved = interpolate(unfog.load(run), two, tmp_path, 3)
    entry = read_provenance(saved.files[1])
    assert entry is not None and entry.kind == "between"
    assert entry.settings["share"] == 0.5 and entry.settings["between"] == [path.name for path in two]
    with pytest.raises(DataError, match="--between"):
        again(saved.files[1], tmp_path / "again", model=unfog.load(run))


def test_what_is_wrong_is_named(run: Path, two: list[Path], tmp_path: Path) -> None:
    model = unfog.load(run)
    with pytest.raises(SampleError, match=r"--between A\.png --between B\.png"):
        interpolate(model, two[:1], tmp_path)
    with pytest.raises(SampleError, match="at least two"):
        interpolate(model, two, tmp_path, 1)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DataError, match=r"text\.png"):
        interpolate(model, [two[0], tmp_path / "text.png"], tmp_path)
