"""Every recipe of the table is whole."""

from __future__ import annotations

import pytest

from unfog.model import MODELS
from unfog.recipes.train import RECIPES
from unfog.train import OBJECTIVES


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_its_model_its_loss_and_its_settings(name: str) -> None:
    recipe = RECIPES[name]
    assert name in MODELS and name in OBJECTIVES
    assert {"recipe", "preset", "data", "train", "sampling"} <= recipe.config.model_fields.keys()
    assert recipe.config.model_fields["recipe"].default == name
    assert recipe.config.model_fields["preset"].default in recipe.presets
    assert "source" in recipe.config.model_fields["data"].annotation.model_fields
