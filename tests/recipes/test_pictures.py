"""Which pictures a recipe learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from unfog.errors import DataError, TrainError
from unfog.recipes.listen import Silent
from unfog.recipes.pictures import PicturesConfig, open_store, read_picture


def test_named_columns_only() -> None:
    assert PicturesConfig(source="x", image="photo").columns() == {"image": "photo"}


def test_pictures_are_opened_at_their_size(shapes: Path) -> None:
    assert open_store(PicturesConfig(source=str(shapes), size=8), Silent()).size == 8


def test_one_picture_is_too_few(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "one.png")
    with pytest.raises(TrainError, match="at least two"):
        open_store(PicturesConfig(source=str(tmp_path)), Silent())


def test_one_picture_file_at_a_size(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20), (10, 200, 30)).save(tmp_path / "one.png")
    assert read_picture(tmp_path / "one.png", 8, 3).tolist() == [[[10, 200, 30]] * 8] * 8
    with pytest.raises(DataError, match="no picture"):
        read_picture(tmp_path / "none.png", 8, 3)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DataError, match=r"text\.png: "):
        read_picture(tmp_path / "text.png", 8, 3)
