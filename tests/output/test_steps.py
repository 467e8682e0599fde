"""The picture of ``unfog steps``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from unfog.output.steps import draw_steps

ERRORS = {"ddim": [(5, 0.4), (10, 0.2)], "heun": [(5, 0.3), (10, 0.1)]}
QUALITY = {"ddim": [(5, 9.0), (10, 4.0)], "ddpm": [(10, 12.0)]}


def test_it_is_a_picture_with_lines_in_it(tmp_path: Path) -> None:
    path = draw_steps(tmp_path / "steps.png", ERRORS, QUALITY, ("ddpm, 1000 calls", 3.8), ("ddim", 10))
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert pixels.shape[1] > 1000 and pixels.shape[0] > 400
    colourful = (pixels.max(2) - pixels.min(2)) > 60
    assert (
        colourful[:, : pixels.shape[1] // 2].sum() > 500 and colourful[:, pixels.shape[1] // 2 :].sum() > 500
    )


def test_nothing_measured_is_no_reason_to_fail(tmp_path: Path) -> None:
    assert draw_steps(tmp_path / "steps.png", {}, {}, ("ddpm", 1.0), ("ddim", 5)).is_file()
