"""Churn: a little noise is added before each step, so that the step can correct earlier errors.

Karras et al. 2022 (arXiv 2206.00364), algorithm 2. Their S_churn / N is ``churn`` here, so that it does not
depend on the number of steps.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unfog.process.gaussian import GaussianProcess
from unfog.rng import Noise


def churned(
    process: GaussianProcess, x_t: Tensor, t: Tensor, churn: float, rng: Noise
) -> tuple[Tensor, Tensor]:
    """Raise the noise-to-signal ratio by the share ``churn``, as far as the schedule goes.

    Args:
        process: the Gaussian process.
        x_t: (B, *S), at time t, ().
        churn: 0 does nothing; the paper uses at most 0.414.
        rng: of the added noise.

    Returns:
        The noisier example and its time.
    """
    if churn <= 0 or process.numbers(t)[0] == 0.0:
        return x_t, t
    later = torch.maximum(t, process.schedule.time(process.log_ratio(t) - math.log1p(churn)))
    return process.diffuse(x_t, t, later, rng), later
