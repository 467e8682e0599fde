"""Drawing into a folder, and drawing a file once more."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from PIL import Image

import unfog
from tests.given import small_drawer
from unfog.errors import DataError, ModelError, SampleError
from unfog.model.asked import Wish
from unfog.output.provenance import read_provenance
from unfog.recipes import draw
from unfog.recipes.assess import data_of, trained_on
from unfog.recipes.listen import Silent

from .conftest import TINY, TINY_CODEC


def test_one_file_per_example_with_index_grid_and_film(tmp_path: Path, run: Path) -> None:
    model = unfog.load(run)
    saved, film = draw.draw(model, tmp_path, 5, seed=3, film=True)
    lines = [json.loads(line) for line in saved.index.read_text().splitlines()]
    assert len(saved.files) == len(lines) == 5 and saved.grid.is_file() and film is not None
    for path, line in zip(saved.files, lines, strict=True):
        entry = read_provenance(path)
        assert entry is not None and entry.model == model.fingerprint() and entry.seed == 3
        assert line["file"] == path.name and line["label"] == entry.label and line["seed"] == 3
    assert read_provenance(film) is not None and read_provenance(saved.grid) is not None


GUIDED = {
    "guidance": 3.0,
    "guidance_kind": "apg",
    "apg_momentum": -0.5,
    "guidance_rescale": 0.7,
    "autoguidance": 1.5,
}


@pytest.mark.parametrize("settings", [{}, {"guidance": 2.0}, {"sampler": "ddpm", "steps": 3}, GUIDED])
def test_again_gives_the_same_bytes(tmp_path: Path, run: Path, settings: dict[str, object]) -> None:
    model = unfog.load(run)
    saved, _ = draw.draw(model, tmp_path / "first", 7, seed=11, settings=settings)
    for path in (saved.files[0], saved.files[4], saved.files[6]):
        copy = draw.again(path, tmp_path / "again", model=model)
        assert copy.read_bytes() == path.read_bytes()


def test_again_finds_the_model_by_its_fingerprint(tmp_path: Path, run: Path) -> None:
    model = unfog.load(run)
    saved, _ = draw.draw(model, tmp_path / "first", 1)
    draw.remember(run / "model", model.fingerprint())
    assert draw.again(saved.files[0], tmp_path / "again").read_bytes() == saved.files[0].read_bytes()
    with pytest.raises(ModelError, match="Name it"):
        draw.find("0" * 64)


def test_again_refuses_what_is_no_single_picture(tmp_path: Path, run: Path) -> None:
    from PIL import Image

    saved, _ = draw.draw(unfog.load(run), tmp_path / "first", 2)
    with pytest.raises(DataError, match="several"):
        draw.again(saved.grid, tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "foreign.png")
    with pytest.raises(DataError, match="does not say"):
        draw.again(tmp_path / "foreign.png", tmp_path)


def test_labels(tmp_path: Path, run: Path) -> None:
    model = unfog.load(run)
    name = model.spec.classes[1]
    saved, _ = draw.draw(model, tmp_path, 3, wish=Wish(label=name))
    assert all(f"label-{name}" in path.name for path in saved.files)
    with pytest.raises(SampleError, match="no label"):
        draw.draw(model, tmp_path, 1, wish=Wish(label="dragon"))


def test_prompts_are_drawn_told_and_drawn_again_to_the_byte(tmp_path: Path) -> None:
    model = small_drawer()
    wish = Wish(prompt=["two blue squares", "红"], negative="a red circle")
    saved, _ = draw.draw(model, tmp_path / "one", 2, wish=wish, settings={"guidance": 2.0})
    entries = [read_provenance(file) for file in saved.files]
    assert [entry.prompt for entry in entries if entry] == ["two blue squares", "红"]
    for file in saved.files:
        again = draw.again(file, tmp_path / "two", model=model)
        assert again.read_bytes() == file.read_bytes()


def test_what_is_not_read_of_a_prompt_is_said(tmp_path: Path) -> None:
    told: list[str] = []

    class Hearing(Silent):
        def say(self, text: str) -> None:
            told.append(text)

    draw.draw(small_drawer(), tmp_path, 1, wish=Wish(prompt="a red circle " * 5), listener=Hearing())
    assert len(told) == 1 and "longer than the 20 tokens" in told[0]


@pytest.fixture(scope="session", params=["pixels", "latents"])
def wide_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 6 steps on pictures of three shapes, in pixels and in latents."""
    folder, runs, codec = tmp_path_factory.mktemp("wide"), tmp_path_factory.mktemp("runs"), None
    for number, size in enumerate([(40, 24), (24, 40), (32, 32)] * 8):
        Image.new("RGB", size, (9 * number, 40 * (number % 3), 200)).save(folder / f"{number}.png")
    if request.param == "latents":
        unfog.train("codec", folder, runs / "codec", steps=6, size=32, settings=TINY_CODEC, samples=0)
        codec = runs / "codec" / "model"
    settings, out = [*TINY, "data.buckets=true", "data.groups=2"], runs / "wide"
    unfog.train("image", folder, out, steps=6, size=32, settings=settings, samples=8, codec=codec)
    return out


@pytest.mark.parametrize(("aspect", "size"), [("3:2", (40, 24)), ("1x9", (24, 40)), ("", (32, 32))])
def test_what_learned_shapes_draws_them_and_again(
    tmp_path: Path, wide_run: Path, aspect: str, size: tuple[int, int]
) -> None:
    model = unfog.load(wide_run)
    saved, film = draw.draw(model, tmp_path, 3, settings={"aspect": aspect}, film=True)
    assert film is not None and {Image.open(file).size for file in saved.files} == {size}
    copy = draw.again(saved.files[2], tmp_path / "again", model=model)
    assert copy.read_bytes() == saved.files[2].read_bytes()


def test_the_pictures_it_learned_from_are_known_again(wide_run: Path) -> None:
    model, said = unfog.load(wide_run), (wide_run / "report.html").read_text("utf-8")
    source = tomllib.loads((wide_run / "config.toml").read_text("utf-8"))["data"]["source"]
    store = data_of(model, source, Silent())
    assert store.digest == trained_on(model)["digest"] and "another content hash" not in said


def test_shapes_that_were_not_learned_are_refused(tmp_path: Path, run: Path, wide_run: Path) -> None:
    with pytest.raises(SampleError, match=r"squares only.*data\.buckets=true"):
        draw.draw(unfog.load(run), tmp_path, 1, settings={"aspect": "3:2"})
    for wrong in ("wide", "3:0", "-1:2"):
        with pytest.raises(SampleError, match="width to height"):
            draw.draw(unfog.load(wide_run), tmp_path, 1, settings={"aspect": wrong})
