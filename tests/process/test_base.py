"""Times are checked where they come in."""

from __future__ import annotations

import pytest
import torch

from unfog.errors import TimeOutOfRange
from unfog.process.base import Process, check_times


@pytest.mark.parametrize("t", [0.0, 1.0, 0.5, [0.0, 1.0], [[0.1, 0.2], [0.3, 0.4]]])
def test_times_from_data_to_noise_are_welcome(t: object) -> None:
    check_times(torch.tensor(t))


@pytest.mark.parametrize("t", [-1e-6, 1.001, [0.5, 7.0], float("nan"), float("inf")])
def test_other_times_are_refused_by_value(t: object) -> None:
    with pytest.raises(TimeOutOfRange, match=r"\[0, 1\]"):
        check_times(torch.tensor(t))


def test_the_message_names_the_offenders() -> None:
    with pytest.raises(TimeOutOfRange, match=r"from -2 to 3"):
        check_times(torch.tensor([-2.0, 0.5, 3.0]))


def test_a_process_must_say_how_it_corrupts() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Process()
