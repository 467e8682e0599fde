"""From pictures with captions to a model that can be asked in words, as a user would run it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import unfog
from tests.recipes.conftest import COLOURS
from unfog.codec import measure_pixels
from unfog.errors import ModelError, TrainError
from unfog.model import load_pictures
from unfog.model.asked import Wish
from unfog.recipes import draw
from unfog.recipes.assess import evaluate_model
from unfog.recipes.explain_subject import ModelSubject
from unfog.recipes.listen import Silent
from unfog.recipes.text2image import Text2ImageConfig, captions_of, examples_of, prepare, threshold_for


def test_it_draws_the_colour_that_was_asked_for_in_both_languages(words_run: Path, tmp_path: Path) -> None:
    model = load_pictures(words_run)
    for name, (colour, chinese) in COLOURS.items():
        for prompt in (f"a {name} square", f"{chinese}的方块"):
            drawn = np.stack([np.asarray(p, float) for p in model.generate(3, prompt=prompt, seed=2)])
            mean = drawn.mean((0, 1, 2))
            nearest = min(COLOURS, key=lambda other: np.abs(mean - COLOURS[other][0]).sum())
            assert nearest == name, f"{prompt}: {mean} is not {colour}"


def test_the_run_is_whole(words_run: Path, coloured: Path) -> None:
    model = load_pictures(words_run)
    assert model.spec.recipe == "text2image" and model.spec.examples and model.tokens is not None
    assert (words_run / "report.html").is_file() and (words_run / "model" / "tokens.json").is_file()
    found = evaluate_model(model, str(coloured), 6, settings={"steps": 2}, listener=Silent())
    assert "adherence" not in found.values and found.values["samples"] == 6


def test_a_drawn_file_is_drawn_again(words_run: Path, tmp_path: Path) -> None:
    model = load_pictures(words_run)
    saved, _ = draw.draw(model, tmp_path / "one", 3)
    again = draw.again(saved.files[1], tmp_path / "two", model=model)
    assert again.read_bytes() == saved.files[1].read_bytes()


def test_pictures_without_captions_are_refused_with_what_to_do(tmp_path: Path) -> None:
    for i in range(4):
        Image.new("RGB", (8, 8), (60 * i, 0, 0)).save(tmp_path / f"{i}.png")
    config = Text2ImageConfig.model_validate({"data": {"source": str(tmp_path)}})
    with pytest.raises(TrainError, match=r"holds no captions. Put a \.txt"):
        prepare(config, Silent())


def test_examples_are_captions_of_held_out_pictures_in_every_language() -> None:
    captions = [("a", "甲"), ("",), ("b", "乙"), ("c", "丙")]
    assert examples_of(captions, np.array([0, 1, 2])) == ("a", "乙")
    assert examples_of([("",)], np.array([0])) == ()


def test_pictures_on_white_are_not_shrunk_towards_grey() -> None:
    rng = np.random.default_rng(0)
    photographs = rng.integers(5, 250, (8, 8, 8, 3), dtype=np.uint8)
    on_white = photographs.copy()
    on_white[:, :, :4] = 255
    assert threshold_for(measure_pixels(photographs)) == "dynamic"
    assert threshold_for(measure_pixels(on_white)) == threshold_for(None) == "static"


def test_a_picture_without_a_caption_keeps_its_place(coloured: Path) -> None:
    from unfog.data import open_pictures

    captions = captions_of(open_pictures(coloured, size=8))
    assert captions[0] == ("",) and len(captions) == 48 and len(captions[1]) == 2


def test_it_explains_itself_on_what_it_draws_and_on_real_pictures(words_run: Path, coloured: Path) -> None:
    model = load_pictures(words_run)
    for data in (None, str(coloured)):
        subject = ModelSubject(model, data, 0, Silent())
        assert subject.shown.cond.tokens is not None
        assert len(subject.shown.cond.tokens) == len(subject.shown.x)
    assert subject.asked(2) == list(model.spec.examples[:2])


def test_a_model_of_words_learns_to_take_pictures_and_forgets_nothing(
    words_run: Path, pairs_run: Path, coloured: Path, tmp_path: Path
) -> None:
    settings = ["train.batch=16", "train.learning_rate=0.01", "pairs.alone=0.7", "pairs.blur=0.2"]
    settings.append(f"pairs.onto={words_run}")
    unfog.train(
        "text2image", coloured, tmp_path / "run", steps=400, pairs=pairs_run, settings=settings, samples=0
    )
    before, model = load_pictures(words_run), load_pictures(tmp_path / "run")
    for prompt in ("a red square", "蓝色的方块"):
        one, two = before.generate(2, prompt=prompt), model.generate(2, prompt=prompt)
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    right = 0
    for name, (colour, _) in COLOURS.items():
        for drawn in model.generate(4, like=Image.new("RGB", (8, 8), colour), seed=1):
            mean = np.asarray(drawn, float).mean((0, 1))
            right += name == min(COLOURS, key=lambda other: np.abs(mean - COLOURS[other][0]).sum())
    assert right >= 9, f"{right} of 12"
    saved, _ = draw.draw(
        model, tmp_path / "one", 2, wish=Wish(prompt="a red square", like=[np.zeros((8, 8, 3), np.uint8)])
    )
    again = draw.again(saved.files[1], tmp_path / "two", model=model)
    assert again.read_bytes() == saved.files[1].read_bytes()


def test_growing_needs_a_pair_model_and_nothing_else(
    words_run: Path, pairs_run: Path, coloured: Path
) -> None:
    onto = {"onto": str(words_run), "model": str(pairs_run)}
    data = {"source": str(coloured)}
    for wrong in (
        {"pairs": {"onto": str(words_run)}},
        {"pairs": onto, "network": {"kind": "unet"}},
        {"pairs": onto, "data": {**data, "size": 16}},
    ):
        with pytest.raises(TrainError, match=r"leave .*out|add --pairs"):
            prepare(Text2ImageConfig.model_validate({"data": data, **wrong}), Silent())
    with pytest.raises(ModelError, match="pair model"):
        config = {"data": data, "pairs": {**onto, "onto": str(pairs_run)}}
        prepare(Text2ImageConfig.model_validate(config), Silent())
