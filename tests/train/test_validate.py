"""Validation: the same question every time, and nothing is changed by asking it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.given import enliven, pictures, small_model
from unfog.model import Model
from unfog.train import WEIGHTS, TrainConfig
from unfog.train.objective import denoising_loss
from unfog.train.validate import MOST, Fixed, by_noise_level, fix, losses

CONFIG = TrainConfig(noise_mean=0.3, noise_std=1.5)
IMAGES = pictures(100)
LABELS = np.arange(100) % 2


def fixed_for(model: Model, held_out: int = 30) -> Fixed:
    return fix(model, IMAGES, LABELS, np.arange(100 - held_out, 100), CONFIG)


def test_the_question_is_always_the_same() -> None:
    torch.manual_seed(1)
    one = fixed_for(small_model(seed=1))
    torch.manual_seed(2)
    other = fixed_for(small_model(seed=2))
    for name in ("x", "t", "noise", "labels"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name


def test_few_pictures_are_asked_about_at_many_noise_levels() -> None:
    fixed = fixed_for(small_model(), held_out=3)
    assert len(fixed.x) == len(fixed.t) == len(fixed.noise) == 64
    assert len({tuple(x.flatten().tolist()) for x in fixed.x}) == 3
    assert len(fixed.t.unique()) == 64


def test_many_pictures_are_a_sample() -> None:
    images = pictures(MOST + 50)
    fixed = fix(small_model(classes=()), images, None, np.arange(len(images)), CONFIG)
    assert len(fixed.x) == MOST and fixed.labels is None


def test_only_held_out_pictures_are_used_with_their_labels() -> None:
    model = small_model()
    fixed = fixed_for(model, held_out=5)
    expected = model.codec.encode(torch.from_numpy(IMAGES[95:]).permute(0, 3, 1, 2))
    assert fixed.labels is not None
    for x, label in zip(fixed.x, fixed.labels, strict=True):
        distance = (expected - x).abs().flatten(1).amax(1)
        assert float(distance.min()) == 0
        assert LABELS[95 + int(distance.argmin())] == int(label)


@pytest.mark.parametrize("training", [True, False])
def test_asking_twice_gives_the_same_answer_and_leaves_no_trace(training: bool) -> None:
    model = small_model(network={"kind": "unet", "widths": [16], "depth": 1, "vector": 16, "dropout": 0.5})
    model.train(training)
    fixed = fixed_for(model)
    before = torch.random.get_rng_state()
    first, second = losses(model, fixed, CONFIG), losses(model, fixed, CONFIG)
    assert torch.equal(first, second), "dropout must be off"
    assert torch.equal(before, torch.random.get_rng_state()), "training's noise must not be touched"
    assert model.training is training
    assert not first.requires_grad and all(p.grad is None for p in model.parameters())


def test_the_size_of_batches_does_not_matter() -> None:
    model = small_model()
    fixed = fixed_for(model)
    torch.testing.assert_close(
        losses(model, fixed, CONFIG, batch=7), losses(model, fixed, CONFIG), rtol=1e-4, atol=1e-5
    )


def test_it_is_the_training_loss() -> None:
    model = small_model(classes=())
    fixed = fix(model, IMAGES, None, np.arange(64), CONFIG)
    expected = denoising_loss(model.denoiser, fixed.x, fixed.t, fixed.noise, WEIGHTS[CONFIG.weight])
    torch.testing.assert_close(losses(model, fixed, CONFIG), expected.detach())


def test_other_weights_give_another_answer() -> None:
    model = small_model()
    fixed = fixed_for(model)
    before = losses(model, fixed, CONFIG)
    enliven(model, 0.3)
    assert not torch.allclose(before, losses(model, fixed, CONFIG))


def test_by_noise_level_sorts_and_averages() -> None:
    model = small_model()
    fixed = fixed_for(model)
    level = -model.denoiser.process.log_ratio(fixed.t)
    bands = by_noise_level(model, fixed, 2 * level + 1, bins=8)
    assert len(bands) == 8
    centres = [centre for centre, _ in bands]
    assert centres == sorted(centres)
    for centre, value in bands:
        assert value == pytest.approx(2 * centre + 1, abs=1e-5)
    assert float(np.mean(centres)) == pytest.approx(float(level.mean()), abs=1e-6)


def test_the_levels_are_those_of_training() -> None:
    """Stratified over the configured law, so 64 questions say as much as hundreds of random ones."""
    level = -small_model().denoiser.process.log_ratio(fixed_for(small_model()).t)
    assert float(level.mean()) == pytest.approx(CONFIG.noise_mean, abs=0.05)
    assert float(level.std()) == pytest.approx(CONFIG.noise_std, rel=0.05)
