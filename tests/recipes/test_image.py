"""The image recipe's choices."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from unfog.data import PictureStore
from unfog.model import PictureModel
from unfog.recipes import image
from unfog.recipes.image import most_noise, sampling_for, schedule_for
from unfog.recipes.listen import Silent
from unfog.spec import Spec
from unfog.train import TrainConfig
from unfog.train.denoising import noise_law


@pytest.mark.parametrize("preset", image.PRESETS)
@pytest.mark.parametrize("kind", ["unet", "transformer", "joint"])
@pytest.mark.parametrize("size", [8, 28, 64, 100])
def test_every_preset_builds_for_every_size(preset: str, kind: str, size: int) -> None:
    options = image.network_for(preset, size, {"kind": kind})
    statistics = {"shape": (3, size, size), "count": 1, "mean": (0.5,) * 3, "std": (0.2,) * 3,
                  "low": 0.0, "high": 1.0, "at_black": 0.0, "at_white": 0.0}  # fmt: skip
    model = PictureModel(Spec("image", options, {"kind": "cosine"}, "v", statistics))
    assert model.count_parameters() > 1000


def test_what_the_user_says_wins() -> None:
    assert image.network_for("small", 28, {"depth": 3, "widths": [8, 8]})["depth"] == 3


@pytest.mark.parametrize(("size", "levels"), [(8, 1), (28, 2), (32, 2), (64, 2), (96, 1), (100, 2), (128, 2)])
def test_a_text_is_looked_at_where_there_are_at_most_16_by_16_places(size: int, levels: int) -> None:
    options = image.network_for("small", size, {"context": 32})
    assert options["context_levels"] == levels
    sides = [-(-size // (options["patch"] << level)) for level in range(len(options["widths"]))]
    assert max(sides[-levels:]) <= 16 and all(side > 16 for side in sides[:-levels])
    assert "context_levels" not in image.network_for("small", size, {})


@pytest.mark.parametrize("kind", ["unet", "joint"])
def test_networks_that_are_told_what_to_draw_know_positions(kind: str) -> None:
    told = image.network_for("small", 32, {"kind": kind, "context": 32})
    assert told["position"] is True
    assert not image.network_for("small", 32, {"kind": kind}).get("position", False)
    assert image.network_for("small", 32, {**told, "position": False})["position"] is False


@pytest.mark.parametrize("kind", ["unet", "transformer", "joint"])
@pytest.mark.parametrize(("channels", "size", "scales"), [(3, 32, 2), (3, 64, 2), (1, 64, 2), (1, 8, 0)])
def test_detail_is_held_up_where_a_place_stands_for_many_numbers(
    kind: str, channels: int, size: int, scales: int
) -> None:
    none = np.zeros(0, dtype=np.int64)
    store = PictureStore(
        np.zeros((1, size, size, channels), np.uint8), None, (), ("a",), None, none, none, "here", "0"
    )
    options = {"kind": kind} if size > 8 else {"kind": kind, "patch": 2}
    assert image.network_of("small", store, options, None)["detail"] == scales
    assert image.network_of("small", store, {**options, "detail": 1}, None)["detail"] == 1


@given(st.integers(0, 100_000))
def test_groups_keep_enough_pictures_each(pictures: int) -> None:
    groups = image.default_groups(pictures)
    assert groups <= 128 and (groups == 0 or pictures / groups >= 40)


def test_prepare_is_the_same_for_the_same_seed(shapes: object) -> None:
    from unfog.data import open_pictures

    store = open_pictures(str(shapes))
    config = image.ImageConfig(data=image.DataConfig(source=str(shapes)))
    one, two = image.prepared_for(config, store), image.prepared_for(config, store)
    assert one.model.fingerprint() == two.model.fingerprint()
    assert one.told is not None and two.told is not None
    assert np.array_equal(one.told, two.told)


def test_the_ground_of_a_run_is_passed_on(tmp_path: Path) -> None:
    for name in "ab":
        Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(tmp_path / f"{name}.png")
    data = image.DataConfig(source=str(tmp_path), ground="random", held_out=0.5)
    Image.new("RGBA", (16, 16), (0, 0, 0, 255)).save(tmp_path / "c.png")
    store = image.open_store(data, Silent())
    assert len(np.unique(store.images.reshape(-1, 3), axis=0)) == 3


def test_a_ladder_of_noise_begins_at_the_largest_distance() -> None:
    assert schedule_for({"kind": "ve"}, 48.39) == {"kind": "ve", "sigma_max": 48.4}
    assert schedule_for({"kind": "ve", "sigma_max": 50.0}, 48.39) == {"kind": "ve", "sigma_max": 50.0}
    assert schedule_for({"kind": "cosine"}, 48.39) == {"kind": "cosine"}
    assert sampling_for(7.4, False, most=48.4)["start"] == 48.4
    assert sampling_for(7.4, False)["start"] == 74.0


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ({}, math.inf),
        ({"noise_mean": 0.9, "noise_std": 1.3}, math.exp(0.9 + 2.5 * 1.3)),
        ({"noise_std": 1.0}, math.exp(noise_law(51.0)[0] + 2.5)),
        ({"noise_mean": -3.0, "noise_std": 0.1}, 20.0),
    ],
)
def test_sampling_begins_where_training_has_been(law: dict[str, float], expected: float) -> None:
    assert most_noise({"kind": "cosine"}, TrainConfig(**law), 51.0) == pytest.approx(expected)
    assert most_noise({"kind": "ve", "sigma_max": 12.0}, TrainConfig(**law), 51.0) == 12.0
