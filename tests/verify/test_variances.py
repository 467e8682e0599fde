"""The checks of variances find a wrong one."""

from __future__ import annotations

import pytest

from unfog.denoise import variance
from unfog.sample import DDPM, ddpm
from unfog.verify import variances
from unfog.verify.variances import bound_of_chain, variances_of_steps


def test_a_wrong_ratio_of_the_variances_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(process, t, s):
        return 1.01 * variance.log_extremes(process, t, s)

    monkeypatch.setattr(ddpm, "log_extremes", wrong)
    assert not all(result.passed for result in variances_of_steps())


def test_a_sampler_that_ignores_the_variance_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DDPM, "_fraction", lambda self, posterior: None)
    assert not any(result.passed for result in variances_of_steps())


def test_a_variance_that_is_not_the_best_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    true = variances.unknown
    monkeypatch.setattr(variances, "unknown", lambda process, t, std: 0.5 * true(process, t, std))
    assert not all(r.passed for r in bound_of_chain() if r.entry.endswith("best"))
