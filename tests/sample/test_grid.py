"""Time grids: every one falls strictly from the start to 0 in the number of steps that was asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.given import process_of
from unfog.errors import SampleError
from unfog.process import SCHEDULES
from unfog.sample import GRIDS, karras, log_snr, quadratic, shifted, through, uniform
from unfog.sample.base import check_grid

ENDING = ("karras", "log-snr", "exponential")  # the others come to 0 at their own pace


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("grid", GRIDS)
@settings(max_examples=30)
@given(steps=st.integers(1, 300), start=st.floats(5, 80), end=st.floats(0.003, 1.0))
def test_it_falls_strictly_and_has_the_right_length(
    schedule: str, grid: str, steps: int, start: float, end: float
) -> None:
    process = process_of(schedule)
    times = GRIDS[grid](process, steps, start, end)
    check_grid(times)
    assert times.shape == (steps + 1,) and times.dtype == torch.float64
    assert float(times[-1]) == 0.0
    assert float(process.log_ratio(times[0])) == pytest.approx(-math.log(start), abs=1e-6)
    if grid in ENDING and steps > 1:
        assert float(process.log_ratio(times[-2])) == pytest.approx(-math.log(end), abs=1e-6)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("grid", GRIDS)
@settings(max_examples=30)
@given(steps=st.integers(1, 60), start=st.floats(81, 1e6), end=st.floats(1e-7, 0.0019))
def test_beyond_what_a_schedule_has_it_is_clipped(
    schedule: str, grid: str, steps: int, start: float, end: float
) -> None:
    """Fewer steps then, but a grid all the same."""
    times = GRIDS[grid](process_of(schedule), steps, start, end)
    check_grid(times)
    assert 2 <= len(times) <= steps + 1 and float(times[-1]) == 0.0


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("steps", [0, -3])
def test_no_steps_are_refused(grid: str, steps: int) -> None:
    with pytest.raises(SampleError, match="at least one"):
        GRIDS[grid](process_of("cosine"), steps, 80.0, 0.02)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_karras_is_the_published_formula(schedule: str) -> None:
    """Karras et al. 2022, equation 5, in sigma / alpha."""
    process, count = process_of(schedule), 18
    i = np.arange(count)
    published = (80 ** (1 / 7) + i / (count - 1) * (0.02 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    clock = process.log_ratio(karras(process, count, 80.0, 0.02)[:-1])
    np.testing.assert_allclose(np.exp(-clock.numpy()), published, rtol=1e-7)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_log_snr_takes_equal_steps_of_the_clock(schedule: str) -> None:
    process = process_of(schedule)
    steps = process.log_ratio(log_snr(process, 11, 50.0, 0.05)[:-1]).diff()
    torch.testing.assert_close(steps, steps[0].expand(10), rtol=1e-6, atol=1e-9)


def test_uniform_takes_equal_steps_of_time() -> None:
    times = uniform(process_of("flow"), 10, 1e12)
    torch.testing.assert_close(times, torch.linspace(1, 0, 11, dtype=torch.float64))


def test_quadratic_takes_equal_steps_of_the_root_of_time() -> None:
    roots = quadratic(process_of("cosine"), 10, 40.0).sqrt()
    torch.testing.assert_close(roots.diff(), roots.diff()[0].expand(10))


def test_shifted_is_the_published_formula() -> None:
    """Esser et al. 2024, equation 23 with a shift of 3, on the straight line from data to noise."""
    times = shifted(process_of("flow"), 8, 1e9)
    plain = torch.linspace(1, 0, 9, dtype=torch.float64)
    torch.testing.assert_close(times, 3 * plain / (1 + 2 * plain), rtol=0, atol=1e-8)


def test_exponential_is_a_ladder_of_noise() -> None:
    sigmas = process_of("ve").scales(GRIDS["exponential"](process_of("ve"), 9, 50.0, 0.01)[:-1])[1]
    ratios = sigmas[1:] / sigmas[:-1]
    torch.testing.assert_close(ratios, ratios[0].expand(8))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_grid_through_given_levels_visits_them(schedule: str) -> None:
    process, levels = process_of(schedule), [60.0, 7.5, 1.1, 0.2]
    times = through(levels)(process, 4)
    check_grid(times)
    torch.testing.assert_close((-process.log_ratio(times[:-1])).exp(), torch.tensor(levels).double())
    with pytest.raises(SampleError, match="learned for 4 steps, not 6"):
        through(levels)(process, 6)
    with pytest.raises(SampleError, match="has to be learned first"):
        through([])(process, 6)


def test_one_step_goes_straight_to_the_data() -> None:
    for grid in GRIDS.values():
        assert len(grid(process_of("edm"), 1, 80.0, 0.02)) == 2
