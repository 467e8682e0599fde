"""From pictures alone to a model that draws in their likeness, by a picture, by words, and between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import unfog
from tests.given import small_pairs
from tests.recipes.conftest import COLOURS
from unfog.errors import DataError, SampleError, TrainError, UsageError
from unfog.model import load_pairs, load_pictures
from unfog.model.asked import Wish
from unfog.output.provenance import read_provenance
from unfog.recipes import draw
from unfog.recipes.assess import evaluate_model
from unfog.recipes.explain_subject import ModelSubject
from unfog.recipes.listen import Silent


def nearest(picture: np.ndarray) -> str:
    mean = np.asarray(picture, float).mean((0, 1))
    return min(COLOURS, key=lambda name: float(np.abs(mean - COLOURS[name][0]).sum()))


def square(path: Path, name: str, size: int = 40) -> Path:
    Image.new("RGB", (size, size), COLOURS[name][0]).save(path)
    return path


def test_it_draws_what_is_asked_for_by_a_picture_and_by_words(visual_run: Path) -> None:
    model = load_pictures(visual_run)
    for name, (colour, chinese) in COLOURS.items():
        drawn = [*model.generate(3, like=Image.new("RGB", (9, 9), colour))]
        drawn += [
            *model.generate(3, prompt=f"a {name} square"),
            *model.generate(3, prompt=f"{chinese}的方块"),
        ]
        assert [nearest(np.asarray(each)) for each in drawn].count(name) >= 8


def test_words_change_a_picture_and_two_pictures_have_a_way_between(visual_run: Path) -> None:
    model = load_pictures(visual_run)
    red, blue = (np.full((8, 8, 3), COLOURS[name][0], np.uint8) for name in ("red", "blue"))
    changed = model.generate(4, like=red, edit="a red square -> a blue square")
    assert [nearest(np.asarray(each)) for each in changed].count("blue") >= 3
    way = model.generate(5, like=[red, blue])
    assert nearest(np.asarray(way[0])) == "red" and nearest(np.asarray(way[-1])) == "blue"


def test_the_folder_holds_all_it_needs(visual_run: Path, pairs_run: Path, coloured: Path) -> None:
    model, pairs = load_pictures(visual_run), load_pairs(pairs_run)
    assert model.pairs is not None and model.spec.pairs["fingerprint"] == pairs.fingerprint()
    for name, weight in pairs.state_dict().items():
        assert torch.equal(model.pairs.state_dict()[name], weight)
    assert not any(p.requires_grad for p in model.pairs.parameters())
    assert not any(name.startswith("pairs.") for name in model.learned_state())
    found = evaluate_model(model, coloured, 6, settings={"steps": 2}, judge=small_pairs())
    assert set(found.values["judged"]) == {"other letters", "Chinese"}
    subject = ModelSubject(model, str(coloured), 0, Silent())
    assert subject.shown.cond.tokens is not None and subject.asked(1)


@pytest.mark.parametrize("asked", ["picture", "prompt"])
def test_a_drawn_file_is_drawn_again_without_the_picture(
    visual_run: Path, tmp_path: Path, asked: str
) -> None:
    model = load_pictures(visual_run)
    wish = Wish(prompt="a red square")
    if asked == "picture":
        files = [square(tmp_path / "red.png", "red")]
        wish = Wish(like=draw.read_likes(model, files), names=["red.png"])
    saved, _ = draw.draw(model, tmp_path / "one", 3, wish=wish, seed=2)
    again = draw.again(saved.files[1], tmp_path / "two", model=model)
    assert again.read_bytes() == saved.files[1].read_bytes()
    entry = read_provenance(again)
    assert entry is not None and entry.settings.get("like", entry.prompt) in ("red.png", "a red square")


def test_strength_leads_away_from_the_picture(visual_run: Path, tmp_path: Path) -> None:
    model = load_pictures(visual_run)
    picture = np.full((8, 8, 3), COLOURS["green"][0], np.uint8)
    picture[:4] = 255
    wish = Wish(like=[picture], names=["half.png"])
    far = []
    for strength in (0.0, 0.3, 1.0):
        saved, _ = draw.draw(model, tmp_path / str(strength), 4, wish=wish, strength=strength)
        drawn = np.stack([np.asarray(Image.open(file), float) for file in saved.files])
        far.append(np.abs(drawn - picture).mean())
    assert far[0] < 15 and far[0] < far[1] < far[2]
    with pytest.raises(DataError, match="began from another picture"):
        draw.again(tmp_path / "0.3" / "0000.png", tmp_path, model=model)


@pytest.mark.parametrize(
    ("wish", "strength", "match"),
    [
        (Wish(like=[np.zeros((8, 8, 3), np.uint8)] * 3), 1.0, "3 pictures"),
        (Wish(like=[np.zeros((8, 8, 3), np.uint8)], prompt="x"), 1.0, "not both"),
        (Wish(like=[np.zeros((8, 8, 3), np.uint8)], edit="a cat"), 1.0, "arrow between"),
        (Wish(like=[np.zeros((8, 8, 3), np.uint8)]), 1.5, "from 0"),
        (Wish(edit="a -> b"), 1.0, "add --like"),
        (Wish(prompt="x"), 0.5, "begins from one picture"),
        (Wish(label="x"), 1.0, "without --label"),
    ],
)
def test_what_cannot_be_asked_is_said(
    visual_run: Path, tmp_path: Path, wish: Wish, strength: float, match: str
) -> None:
    with pytest.raises(SampleError, match=match):
        draw.draw(load_pictures(visual_run), tmp_path, 2, wish=wish, strength=strength)


def test_recipes_without_visual_words_refuse_them(tmp_path: Path, coloured: Path, pairs_run: Path) -> None:
    with pytest.raises(UsageError, match="--pairs is for"):
        unfog.train("image", coloured, tmp_path / "run", steps=2, pairs=pairs_run)
    with pytest.raises(TrainError, match="mirrored"):
        settings = ("data.flip=true",)
        unfog.train("text2image", coloured, tmp_path / "run", steps=2, pairs=pairs_run, settings=settings)
