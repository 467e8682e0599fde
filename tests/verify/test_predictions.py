"""The check of targets finds a wrong one."""

from __future__ import annotations

import pytest

from unfog.denoise import TARGETS, target
from unfog.verify.predictions import targets_say_the_same


def test_a_wrong_conversion_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from unfog.denoise import GaussianDenoiser

    forward = GaussianDenoiser.forward

    def wrong(self, x_t, t, cond=None):
        posterior = forward(self, x_t, t)
        return posterior.with_mean(posterior.mean + 1e-4)

    monkeypatch.setattr(GaussianDenoiser, "forward", wrong)
    assert not any(result.passed for result in targets_say_the_same())


def test_a_target_that_says_nothing_about_the_data_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGETS, "x_t", lambda process, t, like: process.scales(t, like=like))
    found = {r.entry: r.passed for r in targets_say_the_same()}
    assert not found["x_t, cosine"] and found["v, cosine"]
    assert target.v is TARGETS["v"]
