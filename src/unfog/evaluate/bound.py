"""The variational bound of a discrete chain, L_T + L_(T-1) + ... + L_0, as DDPM states it (Ho et al. 2020).

Each L is the divergence of the model's reverse step from the true one, in nats; how it depends on the
variance that the model gives its steps is in ``denoise/variance.py``. L_T is what is left of the data in the
prior, and L_0 the density of the data given the lowest level, for which stands a Gaussian of that width.

With the exact denoiser of Gaussian data and the variance that minimises each term the bound is the entropy,
however few the steps; with a fixed variance, small or large, it is worse, and gets there as the steps grow in
number (Nichol & Dhariwal 2021, arXiv 2102.09672, section 3.1). In the limit all are ``density_bound``.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from unfog.condition import NONE, Condition
from unfog.denoise import Denoiser
from unfog.denoise.variance import gain, log_extremes, step_divergence
from unfog.errors import SampleError
from unfog.evaluate.likelihood import ends_of_bound
from unfog.rng import Noise


@torch.no_grad()
def chain_bound(
    denoiser: Denoiser,
    x: Tensor,
    cond: Condition = NONE,
    *,
    times: Tensor,
    fraction: float | None = None,
    rng: Noise | None = None,
) -> Tensor:
    """A lower bound of the log density by the steps of a chain, one estimate for each example.

    Args:
        denoiser: the model.
        x: data of standard deviation about 1, (B, *S).
        cond: what steers it.
        times: of the chain's points, (T + 1,), falling, all with noise and signal.
        fraction: the log variance of all steps, 0 for the posterior's and 1 for the forward step's; what the
            denoiser says when left out.
        rng: of the noise.

    Returns:
        Nats, (B,), float64.

    Raises:
        SampleError: if the fraction is left out and the denoiser did not learn one, or a time has no noise
            or no signal.
    """
    rng, process = rng or Noise(0), denoiser.process
    clock = process.log_ratio(times)
    if not bool(clock.isfinite().all() and (clock.diff() > 0).all()):
        raise SampleError(
            "A chain needs falling times with noise and signal at all of them, e.g. 0.99 to 0.01."
        )
    total = torch.zeros(len(x), dtype=torch.float64)
    for t, s in pairwise(times):
        posterior = denoiser(process.mix(x, rng.normal(x.shape, like=x), t), t, cond)
        lies = posterior.fraction if fraction is None else fraction
        if lies is None:
            raise SampleError(
                "This model did not learn the variance of its steps: give a fraction from 0 to 1."
            )
        error = (x - posterior.mean).square()
        terms = step_divergence(error, lies, log_extremes(process, t, s), gain(process, t, s))
        total += terms.flatten(1).sum(1).double().cpu()
    high, low = (float(torch.exp(-clock[place])) for place in (0, -1))
    return -(total + ends_of_bound(x, low, high))
