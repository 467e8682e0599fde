"""Asking a model that knows no labels for one, by a classifier of the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import unfog
from tests.recipes.conftest import TINY
from unfog.errors import DataError, ModelError, SampleError
from unfog.evaluate.classifier import train_classifier
from unfog.model.asked import Wish
from unfog.output.provenance import read_provenance
from unfog.recipes import draw
from unfog.recipes.ask import Guide, guide_again, guide_by
from unfog.recipes.listen import Silent


@pytest.fixture(scope="session")
def unlabelled(tmp_path_factory: pytest.TempPathFactory, shapes: Path) -> Path:
    """A run that was told no classes."""
    out = tmp_path_factory.mktemp("runs") / "unlabelled"
    unfog.train(
        "image", shapes, out, steps=24, settings=(*TINY, "data.classes=false", "data.groups=0"), samples=0
    )
    return out


def test_the_loss_is_the_cross_entropy_of_the_label() -> None:
    """Dark pictures are class 0, bright ones class 1; the slope of class 1 points to brighter ones."""
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    images = (rng.integers(0, 60, (80, 16, 16, 1)) + 180 * labels[:, None, None, None]).astype(np.uint8)
    space = train_classifier(images, labels, 2)
    loss = Guide(space, "key", ("dark", "bright")).loss([1, 1])
    pictures = torch.from_numpy(images[:2]).permute(0, 3, 1, 2).float() / 255
    found = loss(pictures)
    expected = -np.log(space.probabilities(images[:2])[:, 1])
    torch.testing.assert_close(found.double().numpy(), expected, rtol=1e-3, atol=1e-5)
    middle = torch.full((2, 1, 16, 16), 0.5, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(middle).sum(), middle)
    assert float(slope.mean()) < 0


def test_large_pictures_pass_gradients_too() -> None:
    rng = np.random.default_rng(0)
    space = train_classifier(rng.integers(0, 255, (40, 16, 16, 3)).astype(np.uint8), np.arange(40) % 2, 2)
    pictures = torch.rand(2, 3, 80, 48, requires_grad=True)
    (slope,) = torch.autograd.grad(Guide(space, "key").loss([0, 1])(pictures).sum(), pictures)
    assert slope.shape == pictures.shape and float(slope.abs().sum()) > 0


def test_a_label_is_asked_for_and_the_file_can_be_made_again(
    tmp_path: Path, unlabelled: Path, shapes: Path
) -> None:
    model = unfog.load(unlabelled)
    name = guide_by(model, shapes, Silent()).classes[1]
    options = {"wish": Wish(label=name), "classifier": shapes, "settings": {"loss_scale": 4.0}}
    saved, _ = draw.draw(model, tmp_path / "a", 3, film=True, **options)
    entry = read_provenance(saved.files[2])
    assert entry is not None and entry.label == name and entry.settings["loss_scale"] == 4.0
    assert draw.again(saved.files[2], tmp_path / "b", model=model).read_bytes() == saved.files[2].read_bytes()
    named = draw.again(saved.files[2], tmp_path / "c", model=model, classifier=shapes)
    assert named.read_bytes() == saved.files[2].read_bytes()
    plain, _ = draw.draw(model, tmp_path / "d", 3)
    assert plain.files[2].read_bytes() != saved.files[2].read_bytes()


def test_classes_take_turns(tmp_path: Path, unlabelled: Path, shapes: Path) -> None:
    saved, _ = draw.draw(unfog.load(unlabelled), tmp_path, 4, classifier=shapes)
    entries = [read_provenance(file) for file in saved.files]
    assert len({entry.label for entry in entries if entry}) > 1


def test_a_label_without_a_classifier_says_what_to_do(tmp_path: Path, unlabelled: Path) -> None:
    with pytest.raises(SampleError, match="--classifier DATA"):
        draw.draw(unfog.load(unlabelled), tmp_path, 1, wish=Wish(label="disc"))
    with pytest.raises(SampleError, match="not set by hand"):
        draw.draw(unfog.load(unlabelled), tmp_path, 1, settings={"classifier": "0" * 32})


def test_data_without_classes_and_a_lost_classifier(unlabelled: Path, shapes: Path) -> None:
    with pytest.raises(DataError, match="no classes"):
        guide_by(unfog.load(unlabelled), next(p for p in shapes.iterdir() if p.is_dir()), Silent())
    with pytest.raises(ModelError, match="not in the cache"):
        guide_again("0" * 32)
