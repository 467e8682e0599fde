"""Pictures cut into patches and put together again."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from unfog.nets.patches import cut


@given(
    height=st.integers(1, 20), width=st.integers(1, 20), channels=st.integers(1, 3), patch=st.integers(1, 5)
)
def test_what_was_cut_is_joined_as_it_was(height: int, width: int, channels: int, patch: int) -> None:
    x = torch.randn(2, channels, height, width)
    tokens, frame = cut(x, patch)
    assert tokens.shape == (2, -(-height // patch) * -(-width // patch), channels * patch**2)
    assert torch.equal(frame.join(tokens), x)


def test_a_token_is_one_patch_in_reading_order() -> None:
    x = torch.arange(24.0).view(1, 1, 4, 6)
    tokens, frame = cut(x, 2)
    assert (frame.rows, frame.columns) == (2, 3)
    assert torch.equal(tokens[0, 4], x[0, 0, 2:, 2:4].flatten())
