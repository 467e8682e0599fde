"""The picture of ``unfog steps`` for a model of text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from unfog.output.steps_text import Panel, draw_text_steps

LINES = {"ancestral": [(4.0, 6.0), (20.5, 5.0)], "confidence": [(4.0, 5.5), (24.0, 4.0)]}


def coloured(path: Path) -> np.ndarray:
    """Where the picture is neither black nor grey nor white."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    found: np.ndarray = (pixels.max(2) - pixels.min(2)) > 60
    return found


def test_every_panel_has_lines_in_it(tmp_path: Path) -> None:
    panels = [Panel(title, LINES, {"real texts": 4.5}) for title in ("Bits", "Own", "Words", "Phrases")]
    found = coloured(draw_text_steps(tmp_path / "steps.png", panels, ("confidence", 4.0)))
    assert found.shape[1] > 1000 and found.shape[0] > 800
    for half in np.array_split(found, 2):
        assert all(part.sum() > 300 for part in np.array_split(half, 2, axis=1))


def test_nothing_measured_is_no_reason_to_fail(tmp_path: Path) -> None:
    assert draw_text_steps(tmp_path / "steps.png", [Panel("Bits", {}, {})], ("random", 4.0)).is_file()
