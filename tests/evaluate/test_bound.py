"""The bound of a chain against closed forms, and against the bound of continuous time."""

from __future__ import annotations

import math

import pytest
import torch

from tests.given import process_of
from unfog.denoise import ExactGaussian
from unfog.errors import SampleError
from unfog.evaluate.bound import chain_bound
from unfog.evaluate.likelihood import density_bound
from unfog.rng import Noise
from unfog.verify.variances import HIGH, LOW, KnowsVariance, excess, levels, unknown


@pytest.mark.parametrize("schedule", ["ddpm", "ve", "cosine"])
@pytest.mark.parametrize("steps", [4, 25])
def test_each_term_with_the_best_variance_is_the_closed_form(schedule: str, steps: int) -> None:
    """1/2 log(1 + (SNR_s - SNR_t) Var(x | x_t)) for each step: they add up to what the entropy leaves."""
    process = process_of(schedule)
    times, std = levels(process, steps), 0.7
    snr = torch.exp(2 * process.log_ratio(times))
    terms = 0.5 * torch.log1p(snr.diff() * torch.stack([unknown(process, t, std) for t in times[:-1]]))
    prior = 0.5 * ((std**2 + HIGH**2) / (HIGH**2 + 1) - 1 + math.log(1 + HIGH**-2))
    last = 0.5 * (math.log(2 * math.pi * LOW**2) + 1)
    entropy = 0.5 * math.log(2 * math.pi * math.e * std**2)
    assert entropy + excess(process, steps, None) == pytest.approx(
        float(terms.sum()) + prior + last, abs=1e-6
    )


def test_many_steps_of_the_small_variance_are_continuous_time() -> None:
    exact, x = ExactGaussian(process_of("cosine"), 0.0, 0.7), 0.7 * Noise(1).normal((2000, 1)).double()
    times = levels(exact.process, 1000)
    chain = chain_bound(exact, x, times=times, fraction=0.0, rng=Noise(2))
    limit = density_bound(exact, x, low=LOW, high=HIGH, levels=1000, rng=Noise(3))
    assert float(chain.mean()) == pytest.approx(float(limit.mean()), abs=0.06)
    assert float(chain.mean()) < float(limit.mean()), "few steps cost something"


def test_which_fixed_variance_is_better_depends_on_the_data() -> None:
    """Known data wants the posterior's variance, standard normal data the forward step's."""
    process = process_of("ddpm")
    times = levels(process, 20)
    for std, better, worse in ((0.02, 0.0, 1.0), (1.0, 1.0, 0.0)):
        x = std * Noise(1).normal((200, 1)).double()
        exact = ExactGaussian(process, 0.0, std)
        good, bad = (
            chain_bound(exact, x, times=times, fraction=f, rng=Noise(2)).mean() for f in (better, worse)
        )
        best = chain_bound(KnowsVariance(process, std, times), x, times=times, rng=Noise(2)).mean()
        assert float(bad) < float(good) <= float(best) + 1e-6


def test_what_is_no_chain_or_says_no_variance_is_an_error() -> None:
    exact, x = ExactGaussian(process_of("cosine"), 0.0, 0.7), torch.zeros(2, 1).double()
    for times in ([1.0, 0.5], [0.5, 0.0], [0.3, 0.5], [0.5, 0.5]):
        with pytest.raises(SampleError, match="falling times with noise and signal"):
            chain_bound(exact, x, times=torch.tensor(times).double(), fraction=0.0)
    with pytest.raises(SampleError, match="did not learn the variance"):
        chain_bound(exact, x, times=torch.tensor([0.6, 0.5]).double())
