"""A Gaussian posterior is its mean; noise, score and guidance follow."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.given import process_of
from unfog.denoise import Denoiser, GaussianPosterior, Posterior
from unfog.process import SCHEDULES


def posterior(
    schedule: str = "cosine", t: float = 0.4
) -> tuple[GaussianPosterior, torch.Tensor, torch.Tensor]:
    x, e = torch.randn(3, 1, 4, 4, dtype=torch.float64), torch.randn(3, 1, 4, 4, dtype=torch.float64)
    process = process_of(schedule)
    alpha, sigma = process.scales(t, like=x)
    return GaussianPosterior(x, alpha * x + sigma * e, alpha, sigma), x, e


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_noise_and_score_follow_from_the_mean(schedule: str) -> None:
    known, _, e = posterior(schedule)
    torch.testing.assert_close(known.noise, e)
    torch.testing.assert_close(known.score, -e / known.sigma)


def test_divergence_is_the_mean_squared_error_of_each_example() -> None:
    known, x, _ = posterior()
    off = torch.tensor([0.0, 1.0, -2.0], dtype=torch.float64).view(3, 1, 1, 1)
    torch.testing.assert_close(known.divergence(x + off), torch.tensor([0.0, 1.0, 4.0], dtype=torch.float64))


@pytest.mark.parametrize(("scale", "expected"), [(0.0, 10.0), (1.0, 12.0), (3.0, 16.0), (-1.0, 8.0)])
def test_extrapolation_is_a_straight_line_through_both(scale: float, expected: float) -> None:
    known, _, _ = posterior()
    other = known.with_mean(torch.full_like(known.mean, 10.0))
    mine = known.with_mean(torch.full_like(known.mean, 12.0))
    guided = mine.extrapolate(other, scale)
    torch.testing.assert_close(guided.mean, torch.full_like(known.mean, expected))
    assert guided.x_t is known.x_t and guided.sigma is known.sigma


def test_extrapolating_means_is_extrapolating_scores() -> None:
    """Guidance is usually written for scores; both are linear in the mean, so it is the same."""
    mine, _, _ = posterior()
    other = mine.with_mean(torch.randn_like(mine.mean))
    expected = other.score + 2.5 * (mine.score - other.score)
    torch.testing.assert_close(mine.extrapolate(other, 2.5).score, expected)


def test_the_bases_are_abstract() -> None:
    for kind in (Denoiser, Posterior):
        with pytest.raises(TypeError, match="abstract"):
            kind()


def test_the_fraction_of_the_variance_stays_when_the_mean_changes() -> None:
    known, _, _ = posterior()
    learned = replace(known, fraction=torch.rand_like(known.mean))
    assert learned.with_mean(known.mean + 1).fraction is learned.fraction
    assert learned.extrapolate(known, 2.0).fraction is learned.fraction
    assert known.fraction is None and known.with_mean(known.mean).fraction is None
