"""The checks of guides find a wrong one."""

from __future__ import annotations

import pytest

from unfog.denoise import GaussianPosterior
from unfog.guide import StaticThreshold
from unfog.verify.guidance import free_guidance_of_gaussians, thresholds_keep_their_range


def test_a_flipped_sign_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        GaussianPosterior,
        "extrapolate",
        lambda self, other, scale: self.with_mean(other.mean - scale * (self.mean - other.mean)),
    )
    assert not all(result.passed for result in free_guidance_of_gaussians())


def test_a_threshold_that_lets_all_pass_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StaticThreshold, "forward", lambda self, x_t, t, cond=None: self.inner(x_t, t))
    assert not all(result.passed for result in thresholds_keep_their_range())
