"""From settings to a steered denoiser: the order, what is off, what is refused, and whole models."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.given import process_of, small_model
from unfog.condition import NONE, Condition
from unfog.denoise import ExactGaussian
from unfog.errors import ModelError, SampleError
from unfog.guide import Autoguidance, ClassifierFree, DynamicThreshold, LossGuided
from unfog.guide.steer import RANGES, RULES, Surroundings, check_guides, steer
from unfog.model import PictureModel, load
from unfog.spec import Sampling
from unfog.weights import EARLY_FILE, early_weights


def with_early(classes: tuple[str, ...] = ("cat", "dog")) -> PictureModel:
    """A model that carries other weights as its early ones."""
    model = small_model(classes=classes)
    model.early = early_weights(small_model(seed=5, classes=classes).state_dict())
    return model


def arrays(model: PictureModel, n: int, **options: Any) -> np.ndarray:
    return np.stack([np.asarray(picture) for picture in model.generate(n, **options)]).astype(int)


def too_dark(pictures: Tensor) -> Tensor:
    return (pictures - 1).square().flatten(1).sum(1)


# every guide by the settings that switch it on, and the same settings with it off
GUIDES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({"guidance": 3.0}, {"guidance": 1.0}),
    "rescale": ({"guidance": 3.0, "guidance_rescale": 0.7}, {"guidance": 1.0, "guidance_rescale": 0.7}),
    "apg": ({"guidance": 3.0, "guidance_kind": "apg"}, {"guidance": 1.0, "guidance_kind": "apg"}),
    "apg with momentum": (
        {"guidance": 3.0, "guidance_kind": "apg", "apg_momentum": -0.5, "apg_norm": 0.5},
        {"guidance": 1.0, "guidance_kind": "apg", "apg_momentum": -0.5, "apg_norm": 0.5},
    ),
    "autoguidance": ({"autoguidance": 2.0}, {"autoguidance": 1.0}),
    "loss": ({"loss": too_dark}, {"loss": too_dark, "loss_scale": 0}),
    "straight loss": (
        {"loss": too_dark, "loss_slope": "straight", "loss_scale": 0.1},
        {"loss": too_dark, "loss_slope": "straight", "loss_scale": 0},
    ),
    "all": ({"guidance": 2.0, "guidance_kind": "apg", "autoguidance": 1.5, "loss": too_dark}, {}),
}


@pytest.mark.parametrize("guide", GUIDES)
@pytest.mark.parametrize("sampler", ["dpm++2m", "heun", "ddpm"])
def test_each_guide_changes_pictures_and_is_off_to_the_last_bit(guide: str, sampler: str) -> None:
    model, (on, off) = with_early(), GUIDES[guide]
    plain = arrays(model, 2, seed=1, sampler=sampler)
    assert np.array_equal(arrays(model, 2, seed=1, sampler=sampler, **off), plain)
    assert not np.array_equal(arrays(model, 2, seed=1, sampler=sampler, **on), plain)


@pytest.mark.parametrize("guide", GUIDES)
@pytest.mark.parametrize("sampler", ["dpm++2m", "heun", "restart", "adaptive"])
def test_picture_i_is_the_same_whatever_n_is(guide: str, sampler: str) -> None:
    model, (on, _) = with_early(), GUIDES[guide]
    many = arrays(model, 4, seed=3, sampler=sampler, threshold="none", **on)
    one = arrays(model, 1, seed=3, sampler=sampler, threshold="none", **on)
    assert np.abs(many[:1] - one).max() <= 1


def test_a_walk_under_a_loss_leaves_gradients_as_they_were() -> None:
    model = with_early()
    for step in model.walk(range(2), [0, 1], sampling=model.settings(autoguidance=2.0), loss=too_dark):
        assert not step.x_s.requires_grad and not torch.is_inference_mode_enabled()
    assert all(p.grad is None for p in [*model.parameters(), *model.weaker().parameters()])


def test_a_loss_sees_pictures_from_black_to_white_and_is_obeyed() -> None:
    model, seen = small_model(), []

    def towards_white(pictures: Tensor) -> Tensor:
        seen.append(pictures.shape)
        return 50 * too_dark(pictures)

    bright = arrays(model, 2, loss=towards_white, loss_scale=2)
    assert bright.mean() > arrays(model, 2).mean() + 80
    assert set(seen) == {(2, 1, 8, 8)} and len(seen) == 4


def test_the_order_is_guidance_weak_self_loss_threshold() -> None:
    exact = ExactGaussian(process_of("cosine"), 0.0, 1.0)
    null, limit = Condition(vector=torch.zeros(2, 3)), torch.tensor(1.0)
    around = Surroundings(null, (exact, NONE), lambda posterior: posterior.mean.sum(1), (-limit, limit))
    outer = steer(exact, Sampling(guidance=2.0, autoguidance=2.0, threshold="dynamic"), around)
    kinds = []
    while outer is not exact:
        kinds.append(type(outer))
        outer = outer.inner  # type: ignore[assignment]
    assert kinds == [DynamicThreshold, LossGuided, Autoguidance, ClassifierFree]


def test_with_everything_off_the_denoiser_comes_back_as_it_was() -> None:
    exact = ExactGaussian(process_of("cosine"), 0.0, 1.0)
    assert steer(exact, Sampling(threshold="none"), Surroundings()) is exact
    with pytest.raises(SampleError, match="weak denoiser"):
        steer(exact, Sampling(autoguidance=2.0), Surroundings())
    with pytest.raises(SampleError, match="trained with labels"):
        steer(exact, Sampling(guidance=2.0), Surroundings())


def test_every_default_and_example_is_accepted() -> None:
    check_guides(Sampling(), conditional=False)
    check_guides(Sampling(**{name: example for name, (_, _, example) in RANGES.items()}), conditional=True)
    assert RANGES.keys() <= asdict(Sampling()).keys()
    for kind in RULES:
        check_guides(Sampling(guidance_kind=kind), conditional=False)


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -1e3, "much", True, [1.0]])
def test_numbers_out_of_range_are_answered_in_words(name: str, value: Any) -> None:
    with pytest.raises(SampleError, match=rf"^{name}=.*give a number .*e\.g\. {name}="):
        check_guides(Sampling(**{name: value}), conditional=True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"guidance_kind": "agp"}, "'apg'"),
        ({"loss_slope": "strait"}, "'straight'"),
        ({"threshold": "statik"}, "'static'"),
        ({"guidance_rescale": 1.5}, "from 0 to 1"),
        ({"guidance_low": 5.0, "guidance_high": 1.0}, "must not be above"),
        ({"guidance": 2.0}, "trained with labels"),
    ],
)
def test_settings_that_do_not_fit_are_answered_in_words(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SampleError, match=words):
        check_guides(Sampling(**settings), conditional=False)


# ---- the weak self --------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [(), ("cat", "dog")])
def test_the_early_weights_travel_with_the_model(tmp_path: Path, classes: tuple[str, ...]) -> None:
    model = with_early(classes)
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.fingerprint() == model.fingerprint() != small_model(classes=classes).fingerprint()
    assert np.array_equal(arrays(again, 3, autoguidance=2.0), arrays(model, 3, autoguidance=2.0))
    again.save(tmp_path / "copy")
    assert (tmp_path / "copy" / EARLY_FILE).read_bytes() == (tmp_path / "model" / EARLY_FILE).read_bytes()


def test_autoguidance_leads_away_from_the_early_weights() -> None:
    """By hand, at one time: the weak model's estimate, and on through the model's own."""
    model = with_early()
    sampling = model.settings(autoguidance=2.5, guidance=1.0, threshold="none")
    guided, cond = model.steered(range(3), [0, 1, 0], seed=0, sampling=sampling)
    weak = small_model(seed=5).half().float()  # as they were kept
    assert model.encoder is not None and weak.encoder is not None
    x_t, t, groups = torch.randn(3, 1, 8, 8), torch.tensor(0.5, dtype=torch.float64), torch.tensor([0, 1, 0])
    mine, its = model.denoiser(x_t, t, cond).mean, weak.denoiser(x_t, t, weak.encoder(groups)).mean
    torch.testing.assert_close(guided(x_t, t, cond).mean, its + 2.5 * (mine - its), rtol=1e-4, atol=1e-5)


def test_without_early_weights_autoguidance_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="Train it again"):
        small_model().generate(1, autoguidance=1.5)
    assert len(small_model().generate(1, autoguidance=1.0)) == 1


def test_early_weights_are_read_late_and_checked(tmp_path: Path) -> None:
    with_early().save(tmp_path)
    file = tmp_path / EARLY_FILE
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    model = load(tmp_path)
    assert len(model.generate(1)) == 1, "who does not ask for them does not read them"
    with pytest.raises(ModelError, match="was changed"):
        model.generate(1, autoguidance=2.0)
    file.unlink()
    with pytest.raises(ModelError, match="missing"):
        model.generate(1, autoguidance=2.0)
