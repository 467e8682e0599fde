"""Every recipe of the table is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from unfog.config import parse, to_toml
from unfog.model import MODELS
from unfog.recipes.image import ImageConfig
from unfog.recipes.language import LanguageConfig
from unfog.recipes.recipe import command_of
from unfog.recipes.train import RECIPES
from unfog.train import OBJECTIVES


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_its_model_its_loss_and_its_settings(name: str) -> None:
    recipe = RECIPES[name]
    assert name in MODELS and name in OBJECTIVES
    assert {"recipe", "preset", "data", "train"} <= recipe.config.model_fields.keys()
    assert recipe.config.model_fields["recipe"].default == name
    assert recipe.config.model_fields["preset"].default in recipe.presets
    assert "source" in recipe.config.model_fields["data"].annotation.model_fields


def test_the_command_of_a_run_names_what_was_set_and_no_folder(tmp_path: Path) -> None:
    asked = {
        "data": {"source": "/somewhere/my poems", "tokens": "byte"},
        "network": {"dropout": 0.2, "widths": [32, 64]},
        "train": {"steps": 40, "seed": 3},
    }
    config = parse(LanguageConfig, asked, "Settings")
    assert command_of(tmp_path, config) == (
        "unfog train language --data 'my poems' --out RUN --steps 40 --seed 3 "
        "--set data.tokens=byte --set network.dropout=0.2 --set 'network.widths=[32, 64]'"
    )
    (tmp_path / "config.toml").write_text(to_toml(parse(ImageConfig, {"data": {"source": "digits"}}, "S")))
    settled = parse(ImageConfig, {"data": {"source": "digits"}, "train": {"noise_mean": 0.5}}, "Settings")
    assert command_of(tmp_path, settled) == "unfog train image --data digits --out RUN --minutes 10"
