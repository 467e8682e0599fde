"""From pictures with captions to a model that can be asked in words, as a user would run it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import unfog
from unfog.errors import TrainError
from unfog.model import load_pictures
from unfog.recipes import draw
from unfog.recipes.assess import evaluate_model
from unfog.recipes.explain_subject import ModelSubject
from unfog.recipes.listen import Silent
from unfog.recipes.text2image import Text2ImageConfig, captions_of, examples_of, prepare

COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (20, 180, 40)}
CHINESE = {"red": "红色", "blue": "蓝色", "green": "绿色"}
TINY = ("network.kind=unet", "network.widths=[16]", "network.context=32", "network.head=16")
WORDS = ("text.encoder.depth=1", "text.encoder.head=16", "train.batch=16")


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty-eight coloured squares, told in two languages; one without a word."""
    folder, rng = tmp_path_factory.mktemp("squares"), np.random.default_rng(0)
    for i in range(48):
        name = list(COLOURS)[i % 3]
        pixels = np.full((8, 8, 3), COLOURS[name], np.int64) + rng.integers(-20, 21, 3)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{i:02}.png")
        if i:
            (folder / f"{i:02}.txt").write_text(f"a {name} square\n{CHINESE[name]}的方块", "utf-8")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, squares: Path) -> Path:
    out = tmp_path_factory.mktemp("runs") / "squares"
    unfog.train("text2image", squares, out, steps=160, settings=(*TINY, *WORDS), samples=8)
    return out


def test_it_draws_the_colour_that_was_asked_for_in_both_languages(run: Path, tmp_path: Path) -> None:
    model = load_pictures(run)
    for name, colour in COLOURS.items():
        for prompt in (f"a {name} square", f"{CHINESE[name]}的方块"):
            drawn = np.stack([np.asarray(p, float) for p in model.generate(3, prompt=prompt, seed=2)])
            mean = drawn.mean((0, 1, 2))
            nearest = min(COLOURS, key=lambda other: np.abs(mean - COLOURS[other]).sum())
            assert nearest == name, f"{prompt}: {mean} is not {colour}"


def test_the_run_is_whole(run: Path, squares: Path) -> None:
    model = load_pictures(run)
    assert model.spec.recipe == "text2image" and model.spec.examples and model.tokens is not None
    assert (run / "report.html").is_file() and (run / "model" / "tokens.json").is_file()
    found = evaluate_model(model, str(squares), 6, settings={"steps": 2}, listener=Silent())
    assert "adherence" not in found.values and found.values["samples"] == 6


def test_a_drawn_file_is_drawn_again(run: Path, tmp_path: Path) -> None:
    model = load_pictures(run)
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


def test_a_picture_without_a_caption_keeps_its_place(squares: Path) -> None:
    from unfog.data import open_pictures

    captions = captions_of(open_pictures(squares, size=8))
    assert captions[0] == ("",) and len(captions) == 48 and len(captions[1]) == 2


def test_it_explains_itself_on_what_it_draws_and_on_real_pictures(run: Path, squares: Path) -> None:
    model = load_pictures(run)
    for data in (None, str(squares)):
        subject = ModelSubject(model, data, 0, Silent())
        assert subject.shown.cond.tokens is not None
        assert len(subject.shown.cond.tokens) == len(subject.shown.x)
    assert subject.asked(2) == list(model.spec.examples[:2])
