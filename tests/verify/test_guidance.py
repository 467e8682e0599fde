"""The checks of guides find a wrong one."""

from __future__ import annotations

import pytest

import unfog.guide.classifier_free
from unfog.denoise import GaussianPosterior
from unfog.guide import LossGuided, Projected, StaticThreshold
from unfog.verify.guidance import (
    autoguidance_of_gaussians,
    free_guidance_of_gaussians,
    loss_guidance_is_bayes,
    projected_guidance_is_orthogonal,
    rescale_keeps_the_contrast,
    thresholds_keep_their_range,
)


def test_a_flipped_sign_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        GaussianPosterior,
        "extrapolate",
        lambda self, other, scale: self.with_mean(other.mean - scale * (self.mean - other.mean)),
    )
    assert not all(result.passed for result in free_guidance_of_gaussians())
    assert not all(result.passed for result in autoguidance_of_gaussians())


def test_a_threshold_that_lets_all_pass_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StaticThreshold, "forward", lambda self, x_t, t, cond=None: self.inner(x_t, t))
    assert not all(result.passed for result in thresholds_keep_their_range())


def test_a_rescale_of_variances_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        unfog.guide.classifier_free,
        "rescaled",
        lambda guided, asked, share: guided * (asked.var(1) / guided.var(1))[:, None],
    )
    assert not all(result.passed for result in rescale_keeps_the_contrast())


def test_a_projection_that_is_none_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Projected, "__call__", lambda self, asked, other, scale, t, active: asked.extrapolate(other, scale)
    )
    assert not all(result.passed for result in projected_guidance_is_orthogonal())


def test_guidance_by_half_a_loss_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = LossGuided._value
    monkeypatch.setattr(LossGuided, "_value", lambda self, posterior: whole(self, posterior) / 2)
    assert not all(result.passed for result in loss_guidance_is_bayes())
