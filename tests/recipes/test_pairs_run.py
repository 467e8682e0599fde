"""A run of the pairs recipe, from end to end."""

from __future__ import annotations

from pathlib import Path

import unfog
from tests.recipes.conftest import TINY_PAIRS, TINY_PRIOR
from unfog.model import PairModel, load_pairs
from unfog.output.provenance import read_provenance
from unfog.recipes.listen import Silent
from unfog.recipes.pairs import PairsConfig, prepare


def test_what_a_run_leaves(pairs_run: Path) -> None:
    model = load_pairs(pairs_run)
    said = model.embed_texts(["a red square", "红色的方块", "a blue square"])
    assert said[0] @ said[1] > said[0] @ said[2]
    assert model.history[-1]["data"]["found"]["text to picture, Chinese"] < 5
    entry = read_provenance(pairs_run / "model" / "preview.png")
    assert entry is not None and entry.recipe == "pairs"
    card = (pairs_run / "model" / "card.md").read_text("utf-8")
    assert "4 visual words" in card and "median rank" in card
    page = (pairs_run / "report.html").read_text("utf-8")
    assert "a red square" in page and "imagined to picture" in page


def test_a_preview_shows_pictures_beside_those_most_like_them(tmp_path: Path, coloured: Path) -> None:
    config = PairsConfig.model_validate({"data": {"source": str(coloured)}, "preset": "tiny"})
    (tmp_path / "previews").mkdir()
    assert prepare(config, Silent()).preview(tmp_path, 7, "hash") == []
    assert (tmp_path / "previews" / "step-00000007.png").is_file()


def test_resumed_it_is_the_same(tmp_path: Path, coloured: Path) -> None:
    settings = (*TINY_PAIRS, *TINY_PRIOR)
    model = unfog.train("pairs", coloured, tmp_path / "run", steps=3, preset="tiny", settings=settings)
    assert isinstance(model, PairModel)
    assert unfog.train("pairs", out=tmp_path / "run", resume=True).fingerprint() == model.fingerprint()
