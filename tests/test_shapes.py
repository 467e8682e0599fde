"""The only broadcaster."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unfog.shapes import expand_like


@given(shape=st.lists(st.integers(1, 3), min_size=1, max_size=5), leading=st.integers(0, 5))
def test_times_meet_the_leading_axes(shape: list[int], leading: int) -> None:
    leading = min(leading, len(shape))
    x, t = torch.zeros(shape), torch.rand(shape[:leading])
    found = expand_like(t, x) + x
    assert found.shape == x.shape
    for axis in range(leading, len(shape)):
        assert torch.equal(found, found.select(axis, 0).unsqueeze(axis).expand_as(found))
    assert torch.equal(found.reshape(*shape[:leading], -1)[..., 0], t)


def test_one_time_for_all_stays_one_number() -> None:
    t = torch.tensor(0.3)
    assert expand_like(t, torch.zeros(2, 3)).shape == ()


def test_it_is_a_view() -> None:
    t = torch.rand(4)
    assert expand_like(t, torch.zeros(4, 1, 2)).data_ptr() == t.data_ptr()


def test_more_axes_than_data_is_an_error() -> None:
    with pytest.raises(RuntimeError):
        expand_like(torch.rand(2, 3), torch.zeros(2)) + torch.zeros(2)
