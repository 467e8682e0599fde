"""The pairs recipe's choices."""

from __future__ import annotations

from pathlib import Path

import pytest

from unfog.errors import ModelError, TrainError
from unfog.nets.gaze import Gaze, GazeConfig
from unfog.recipes.listen import Silent
from unfog.recipes.pairs import PRESETS, PairsConfig, gaze_for, prepare, settled
from unfog.spec import build_part


@pytest.mark.parametrize(("size", "levels"), [(8, 1), (16, 1), (28, 2), (32, 2), (64, 3), (100, 4)])
def test_words_look_at_8_by_8_places_at_most(size: int, levels: int) -> None:
    for preset in PRESETS:
        options = gaze_for(preset, size, 3, {})
        assert len(options["widths"]) == levels
        assert Gaze(build_part(GazeConfig, options, "x")).multiple * 8 >= size


def test_what_the_user_says_wins() -> None:
    options = gaze_for("small", 64, 1, {"words": 3, "widths": [16, 48], "patch": 4})
    assert (options["words"], options["widths"], options["patch"], options["channels"]) == (3, (16, 48), 4, 1)
    with pytest.raises(ModelError, match="no setting 'word_s'"):
        gaze_for("small", 64, 3, {"word_s": 3})


def test_prepare_is_the_same_for_the_same_seed(coloured: Path) -> None:
    config = PairsConfig.model_validate({"data": {"source": str(coloured)}, "preset": "tiny"})
    one, two = prepare(config, Silent()), prepare(config, Silent())
    assert one.model.fingerprint() == two.model.fingerprint()
    assert settled(config, one).data.size == 8
    batch = one.batches(config)(0)
    assert batch[0] is not None and len(batch[0]) == 128


def test_pictures_without_captions_are_refused(shapes: Path) -> None:
    config = PairsConfig.model_validate({"data": {"source": str(shapes)}})
    with pytest.raises(TrainError, match="holds no captions"):
        prepare(config, Silent())
