"""What all kinds of models share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.given import small_model
from unfog.errors import ModelError
from unfog.model import MODELS, Model, PictureModel, load
from unfog.spec import Spec


class Noted(PictureModel):
    """A model with one more file."""

    def files(self) -> Mapping[str, str]:
        return {"note.txt": "你好"}


def test_further_files_lie_beside_the_weights(tmp_path: Path) -> None:
    model = small_model()
    noted = Noted(model.spec)
    noted.load_state_dict(model.state_dict())
    assert noted.save(tmp_path / "model") == model.fingerprint()
    assert (tmp_path / "model" / "note.txt").read_text("utf-8") == "你好"


def test_what_is_no_kind_of_model_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Model(small_model().spec)  # type: ignore[abstract]


@pytest.mark.parametrize("recipe", MODELS)
def test_every_kind_says_where_it_belongs(recipe: str) -> None:
    assert issubclass(MODELS[recipe], Model)
    assert Spec.__dataclass_fields__["recipe"].name == "recipe"


def test_a_recipe_of_tomorrow_is_named(tmp_path: Path) -> None:
    small_model().save(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    path.write_text(path.read_text("utf-8").replace('"recipe": "image"', '"recipe": "smell"'), "utf-8")
    with pytest.raises(ModelError, match=r"'smell'.*pip install -U unfog"):
        load(tmp_path / "model")
