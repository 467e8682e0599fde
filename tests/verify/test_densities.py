"""The checks of densities find a wrong one."""

from __future__ import annotations

import pytest

from unfog.evaluate import likelihood
from unfog.verify.densities import bound_is_entropy, density_of_gaussian, density_of_mixture


def test_a_wrong_trace_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = likelihood._clean_and_trace

    def wrong(*arguments):
        clean, trace = inner(*arguments)
        return clean, 0.98 * trace

    monkeypatch.setattr(likelihood, "_clean_and_trace", wrong)
    assert not any(result.passed for result in density_of_gaussian())
    assert not all(result.passed for result in density_of_mixture())


def test_a_wrong_bound_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from unfog.process import GaussianProcess

    mix = GaussianProcess.mix
    monkeypatch.setattr(GaussianProcess, "mix", lambda self, x, noise, t: mix(self, x, 0.9 * noise, t))
    assert not any(result.passed for result in bound_is_entropy())
