"""The checks of schedules find what is wrong with a schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from unfog.process import VP, Cosine
from unfog.verify import schedules
from unfog.verify.check import Check

CASES: list[tuple[str, Callable[[Any, Tensor], Tensor], Check]] = [
    ("time", lambda self, clock: torch.atan(torch.exp(-clock)) * 0.63, schedules.clocks_invert),
    ("sigma_rate", lambda self, t: -torch.pi / 2 * self.alpha(t), schedules.rates_are_derivatives),
    ("alpha_rate", lambda self, t: torch.zeros_like(t), schedules.diffusions_fit),
    ("time", lambda self, clock: torch.sigmoid(-clock), schedules.schedules_drop_out),
]


@pytest.mark.parametrize(("name", "wrong", "check"), CASES)
def test_a_wrong_schedule_is_found(
    name: str, wrong: Callable[[Any, Tensor], Tensor], check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cosine, name, wrong)
    assert not all(result.passed for result in check())


def test_a_schedule_that_is_not_as_published_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(result.passed for result in schedules.schedules_are_as_published())
    monkeypatch.setattr(VP, "alpha", lambda self, t: (1 - t**2).sqrt())
    failed = {r.entry.split(",")[0] for r in schedules.schedules_are_as_published() if not r.passed}
    assert failed == {"vp", "sub-vp"}
