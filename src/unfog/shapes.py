"""The letters used in every docstring, and the only broadcaster.

B         examples in a batch            C, H, W   channels, height, width
*S        the shape of one example       D         width of a vector or token
t, s      times, 0 = data, 1 = noise; a sampler goes from t down to s < t
x         clean data, mean 0, std 1      x_t       data at time t: alpha x + sigma e
e         standard normal noise          alpha, sigma   signal and noise scale at a time
l         log(alpha / sigma), half the log signal-to-noise ratio: the clock of all samplers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def expand_like(t: Tensor, x: Tensor) -> Tensor:
    """Give ``t`` trailing axes until it broadcasts against ``x``.

    Args:
        t: one value for all, (), one per example, (B,), or more leading axes of x, (B, frames).
        x: any tensor whose leading axes match those of ``t``.

    Returns:
        A view of ``t`` with the number of axes of ``x``.
    """
    return t.reshape(t.shape + (1,) * (x.ndim - t.ndim)) if t.ndim else t
