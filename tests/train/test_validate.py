"""Validation: the same question every time, and nothing is changed by asking it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.given import enliven, pictures, small_model
from unfog.model import PictureModel
from unfog.train import WEIGHTS, DenoisingObjective, TrainConfig
from unfog.train.batches import pictures_at
from unfog.train.denoising import denoising_loss
from unfog.train.objective import Batch
from unfog.train.validate import FEWEST, MOST, asked, by_noise_level, fix, losses

CONFIG = TrainConfig(noise_mean=0.3, noise_std=1.5)
IMAGES = pictures(100)
LABELS = np.arange(100) % 2


def objective_for(model: PictureModel) -> DenoisingObjective:
    return DenoisingObjective(model, CONFIG)


def fixed_for(model: PictureModel, held_out: int = 30) -> Batch:
    chosen = asked(np.arange(100 - held_out, 100))
    return fix(objective_for(model), pictures_at(IMAGES, LABELS, chosen))


def times_of(fixed: Batch) -> torch.Tensor:
    assert fixed[1] is not None
    return fixed[1]


def test_the_question_is_always_the_same() -> None:
    torch.manual_seed(1)
    one = fixed_for(small_model(seed=1))
    torch.manual_seed(2)
    other = fixed_for(small_model(seed=2))
    for mine, theirs in zip(one, other, strict=True):
        assert mine is not None and theirs is not None and torch.equal(mine, theirs)


def test_few_pictures_are_asked_about_at_many_noise_levels() -> None:
    raw, t, noise, _ = fixed_for(small_model(), held_out=3)
    assert raw is not None and t is not None and noise is not None
    assert len(raw) == len(t) == len(noise) == FEWEST
    assert len({tuple(x.flatten().tolist()) for x in raw}) == 3
    assert len(t.unique()) == FEWEST


def test_many_pictures_are_a_sample() -> None:
    chosen = asked(np.arange(MOST + 50))
    assert len(chosen) == len(set(chosen.tolist())) == MOST


def test_only_held_out_pictures_are_used_with_their_labels() -> None:
    raw, _, _, labels = fixed_for(small_model(), held_out=5)
    assert raw is not None and labels is not None
    expected = torch.from_numpy(IMAGES[95:]).permute(0, 3, 1, 2)
    for x, label in zip(raw, labels, strict=True):
        distance = (expected.float() - x.float()).abs().flatten(1).amax(1)
        assert float(distance.min()) == 0
        assert LABELS[95 + int(distance.argmin())] == int(label)


@pytest.mark.parametrize("training", [True, False])
def test_asking_twice_gives_the_same_answer_and_leaves_no_trace(training: bool) -> None:
    model = small_model(network={"kind": "unet", "widths": [16], "depth": 1, "vector": 16, "dropout": 0.5})
    model.train(training)
    fixed, objective = fixed_for(model), objective_for(model)
    before = torch.random.get_rng_state()
    first, second = losses(objective, fixed), losses(objective, fixed)
    assert torch.equal(first, second), "dropout must be off"
    assert torch.equal(before, torch.random.get_rng_state()), "training's noise must not be touched"
    assert all(module.training is training for module in model.denoiser.modules())
    assert not first.requires_grad and all(p.grad is None for p in model.parameters())


def test_the_size_of_batches_does_not_matter() -> None:
    model = small_model()
    fixed, objective = fixed_for(model), objective_for(model)
    torch.testing.assert_close(
        losses(objective, fixed, batch=7), losses(objective, fixed), rtol=1e-4, atol=1e-5
    )


def test_it_is_the_training_loss() -> None:
    model = small_model(classes=())
    objective = objective_for(model)
    raw, t, noise, labels = fixed = fix(objective, pictures_at(IMAGES, None, np.arange(64)))
    assert raw is not None and t is not None and noise is not None and labels is None
    x = model.codec.encode(raw)
    expected = denoising_loss(model.denoiser, x, t, noise, WEIGHTS[CONFIG.weight])
    torch.testing.assert_close(losses(objective, fixed), expected.detach())


def test_other_weights_give_another_answer() -> None:
    model = small_model()
    fixed, objective = fixed_for(model), objective_for(model)
    before = losses(objective, fixed)
    enliven(model, 0.3)
    assert not torch.allclose(before, losses(objective, fixed))


def test_by_noise_level_sorts_and_averages() -> None:
    process, t = small_model().denoiser.process, times_of(fixed_for(small_model()))
    level = -process.log_ratio(t)
    bands = by_noise_level(process, t, 2 * level + 1, bins=8)
    assert len(bands) == 8
    centres = [centre for centre, _ in bands]
    assert centres == sorted(centres)
    for centre, value in bands:
        assert value == pytest.approx(2 * centre + 1, abs=1e-5)
    assert float(np.mean(centres)) == pytest.approx(float(level.mean()), abs=1e-6)


def test_the_levels_are_those_of_training() -> None:
    """Stratified over the configured law, so 64 questions say as much as hundreds of random ones."""
    level = -small_model().denoiser.process.log_ratio(times_of(fixed_for(small_model())))
    assert float(level.mean()) == pytest.approx(CONFIG.noise_mean, abs=0.05)
    assert float(level.std()) == pytest.approx(CONFIG.noise_std, rel=0.05)
