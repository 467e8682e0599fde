"""The checks of the way up notice a wrong drift, a wrong kernel, a wrong code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from unfog.process import GaussianProcess
from unfog.verify import journeys


@pytest.mark.parametrize(
    "check", [journeys.forward_reaches_kernel, journeys.kernels_chain, journeys.encoding_is_the_flow]
)
def test_all_is_well(check: Callable[[], Any]) -> None:
    found = list(check())
    assert len(found) > 10 and all(result.passed for result in found)
    assert len({(result.entry, result.what) for result in found}) == len(found)


def test_a_wrong_diffusion_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = GaussianProcess.drift_and_diffusion

    def wrong(self: GaussianProcess, t: Any) -> Any:
        drift, diffusion = right(self, t)
        return drift, 1.1 * diffusion

    monkeypatch.setattr(GaussianProcess, "drift_and_diffusion", wrong)
    failed = {r.entry.split(", ")[1] for r in journeys.forward_reaches_kernel() if not r.passed}
    assert failed == {"variance"}


def test_a_wrong_kernel_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GaussianProcess, "diffuse", lambda self, x, s, t, rng: 0.9 * x)
    assert not all(result.passed for result in journeys.kernels_chain())


def test_a_wrong_code_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    encode = journeys.encode
    monkeypatch.setattr(journeys, "encode", lambda exact, x, grid: 1.1 * encode(exact, x, grid))
    failed = [r for r in journeys.encoding_is_the_flow() if not r.passed]
    assert len(failed) == len(journeys.schedules())
    assert replace(failed[0], value=0.0).passed
