"""What a codec learns from: each part of the loss, and who learns from which."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.given import pictures, small_codec, small_latent_model
from unfog.rng import Noise
from unfog.train import Batches, CodecTrainConfig, TrainConfig, Training
from unfog.train.checkpoint import load_checkpoint, save_checkpoint
from unfog.train.encoding import EncodingObjective, difference

IMAGES = pictures(24, channels=3)
RAW = torch.from_numpy(IMAGES).permute(0, 3, 1, 2)


def objective(kind: str = "kl", **weights: float) -> EncodingObjective:
    return EncodingObjective(small_codec(kind=kind), CodecTrainConfig(steps=4, **weights))


def training(seed: int = 0, steps: int = 6, **weights: float) -> Training:
    config = CodecTrainConfig(steps=steps, batch=8, warmup=2, seed=3, **weights)
    return Training(small_codec(seed), Batches(IMAGES, None, np.arange(24), size=8, seed=3), config)


@torch.no_grad()
def test_held_out_pictures_are_asked_about_without_noise_and_without_a_judge() -> None:
    asked = objective(perceptual=0.0, kl=0.0, adversarial=0.5).eval()
    drawn = asked.draw((RAW, None), Noise(0))
    x = RAW / 127.5 - 1
    again = asked.autoencoder.decode(asked.autoencoder.encode(x))
    torch.testing.assert_close(asked(*drawn), (again - x).abs().flatten(1).mean(1))
    torch.testing.assert_close(asked(*drawn), asked(*asked.draw((RAW, None), Noise(1))))


def test_what_only_teaches_does_not_count_and_teaches_whom_it_should() -> None:
    asked = objective(perceptual=0.0, kl=0.0, adversarial=0.5).train()
    plain = objective(perceptual=0.0, kl=0.0).train()
    drawn = asked.draw((RAW, None), Noise(0))
    loss, other = asked(*drawn), plain(*drawn)
    torch.testing.assert_close(loss, other)
    assert asked.judge is not None and asked.tiny is not None and plain.tiny is not None
    loss.sum().backward()
    other.sum().backward()
    assert all(p.grad is not None for p in asked.parameters())
    # the small decoder learns the same beside a judge, the large one does not
    torch.testing.assert_close(asked.tiny.stem.weight.grad, plain.tiny.stem.weight.grad)
    ours, theirs = (each.autoencoder.decoder.stem.weight.grad for each in (asked, plain))
    assert ours is not None and theirs is not None and not torch.allclose(ours, theirs)


def test_the_judge_learns_to_tell_and_the_painter_to_please() -> None:
    """Each step of one goes against the other: gradients of the hinge loss by hand."""
    asked = objective(perceptual=0.0, kl=0.0, adversarial=1.0).train()
    assert asked.judge is not None
    x, again = torch.rand(4, 3, 8, 8), torch.rand(4, 3, 8, 8, requires_grad=True)
    asked._adversarial(again, x).sum().backward()
    painter = again.grad
    names = dict(asked.judge.named_parameters())
    judged = {name: p.grad for name, p in names.items()}
    real, false = asked.judge(x), asked.judge(again.detach())
    hinge = (1 - real).clamp_min(0).flatten(1).mean(1) + (1 + false).clamp_min(0).flatten(1).mean(1)
    for (name, _), grad in zip(
        names.items(), torch.autograd.grad(hinge.sum(), list(names.values())), strict=True
    ):
        torch.testing.assert_close(judged[name], grad)
    (wanted,) = torch.autograd.grad(-asked.judge(again).flatten(1).mean(1).sum(), again)
    torch.testing.assert_close(painter, wanted)


@pytest.mark.parametrize("kind", ["kl", "vq", "fsq"])
def test_every_kind_learns(kind: str) -> None:
    config = CodecTrainConfig(steps=100, batch=8, warmup=2, learning_rate=0.02)
    run = Training(small_codec(kind=kind), Batches(IMAGES, None, np.arange(24), size=8, seed=3), config)
    losses = [step.loss for step in run.fit()]
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:5])


def test_the_judge_is_in_checkpoints_and_not_in_averages(tmp_path: Path) -> None:
    run = training(adversarial=0.2)
    judges = [name for name in run.parameters if name.startswith("judge.")]
    assert judges and not set(judges) & run.averages[0].weights.keys()
    assert run.model.state_dict().keys() == small_codec().state_dict().keys()
    list(run.fit())
    before = {name: run.parameters[name].detach().clone() for name in judges}
    with run.averaged():
        assert all(torch.equal(run.parameters[name], before[name]) for name in judges)
    save_checkpoint(tmp_path, run.checkpoint())
    again = training(seed=1, adversarial=0.2)
    checkpoint, _ = load_checkpoint(tmp_path)
    assert checkpoint is not None
    again.restore(checkpoint)
    assert all(torch.equal(again.parameters[name], before[name]) for name in judges)


def test_a_codec_that_is_only_used_stays_as_it_is() -> None:
    model = small_latent_model()
    kept = {name: weight.clone() for name, weight in model.codec.state_dict().items()}
    latents = model.codec.compress(RAW).permute(0, 2, 3, 1).half().numpy()
    source = Batches(latents, None, np.arange(24), size=8, seed=0)
    run = Training(model, source, TrainConfig(steps=4, batch=8))
    assert not any(name.startswith("codec.") for name in run.parameters)
    assert not any(name.startswith("codec.") for name in run.averages[0].weights)
    assert all(np.isfinite(step.loss) for step in run.fit())
    for name, weight in model.codec.state_dict().items():
        assert torch.equal(weight, kept[name])


def test_difference_of_known_pictures() -> None:
    assert difference(torch.zeros(2, 1, 2, 2), torch.full((2, 1, 2, 2), -0.5)).tolist() == [0.5, 0.5]
