"""What a run of the image recipe shows of itself."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from unfog.model import PictureModel
from unfog.recipes import image
from unfog.recipes.image_run import SHOWN, Pictures
from unfog.recipes.listen import Silent


@pytest.fixture
def prepared(shapes: Path) -> Pictures:
    return image.prepare(image.ImageConfig(data=image.DataConfig(source=str(shapes))), Silent())


def test_a_preview_is_kept_and_saturation_is_named(
    prepared: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "previews").mkdir()
    white = np.full((SHOWN, *prepared.model.shape[1:], 3), 255, np.uint8)
    monkeypatch.setattr(PictureModel, "draw", lambda *a, **k: white // 2)
    statistics = dataclasses.replace(prepared.model.codec.statistics, at_black=0.1, at_white=0.1)
    monkeypatch.setattr(prepared.model.codec, "statistics", statistics)
    assert prepared.preview(tmp_path, 7, "abc") == []
    monkeypatch.setattr(PictureModel, "draw", lambda *a, **k: white)
    (warning,) = prepared.preview(tmp_path, 8, "abc")
    assert "100%" in warning and "saturated" in warning
    assert len(list((tmp_path / "previews").iterdir())) == 2
