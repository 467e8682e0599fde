"""The result of an evaluation as plain values and as lines of a table."""

from __future__ import annotations

import json

import numpy as np

from unfog.evaluate.quality import evaluate_pictures


def noise(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (count, 8, 8, 1), np.uint8)


def test_every_line_has_its_floor_and_survives_json() -> None:
    quality = evaluate_pictures(noise(40, 0), None, noise(60, 1), None, noise(30, 2), None, ())
    values = json.loads(json.dumps(quality.to_dict()))
    assert values["counts"] == {"samples": 40, "train": 60, "held": 30, "compared": 30}
    for space in values["spaces"].values():
        assert set(space["samples"]) == set(space["floor"])
    rows = quality.rows()
    assert {row.key for row in rows} >= {"frechet", "coverage", "copied"}
    assert all(row.floor.value is not None or row.floor.why for row in rows)
