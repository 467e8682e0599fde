"""Projected guidance: plain where nothing is dropped, orthogonal where the parallel part is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.given import process_of
from unfog.denoise import GaussianPosterior
from unfog.guide import Projected, plain

T, ON = torch.tensor(0.5, dtype=torch.float64), torch.tensor(True)


def posteriors(count: int = 4) -> tuple[GaussianPosterior, GaussianPosterior]:
    x_t = torch.randn(count, 3, 5, dtype=torch.float64)
    scales = process_of("cosine").scales(T, like=x_t)
    asked = GaussianPosterior(torch.randn_like(x_t), x_t, *scales)
    return asked, asked.with_mean(torch.randn_like(x_t))


def updates(rule: Projected, asked: GaussianPosterior, other: GaussianPosterior, t: Tensor = T) -> Tensor:
    """What the rule adds at scale 2, which is the difference as the rule sees it."""
    return rule(asked, other, 2.0, t, ON).mean - asked.mean


def test_with_everything_kept_it_is_plain_guidance() -> None:
    asked, other = posteriors()
    for scale in (0.0, 1.0, 3.0):
        found = Projected(parallel=1.0)(asked, other, scale, T, ON).mean
        torch.testing.assert_close(found, plain(asked, other, scale, T, ON).mean)


def test_without_the_parallel_part_the_update_is_orthogonal() -> None:
    asked, other = posteriors()
    update = updates(Projected(), asked, other)
    assert float((update * asked.mean).flatten(1).sum(1).abs().max()) < 1e-12
    assert float(update.abs().max()) > 0.1


def test_a_difference_along_the_estimate_is_dropped_and_one_across_is_kept() -> None:
    asked, _ = posteriors()
    along = updates(Projected(parallel=0.25), asked, asked.with_mean(0.6 * asked.mean))
    torch.testing.assert_close(along, 0.25 * 0.4 * asked.mean)
    across = torch.randn_like(asked.mean)
    share = (across * asked.mean).flatten(1).sum(1) / asked.mean.square().flatten(1).sum(1)
    across = across - share[:, None, None] * asked.mean
    torch.testing.assert_close(updates(Projected(), asked, asked.with_mean(asked.mean - across)), across)


def test_long_differences_are_cut_and_short_ones_left_alone() -> None:
    asked, other = posteriors()
    update = updates(Projected(parallel=1.0, limit=0.1), asked, other)
    length = update.square().flatten(1).mean(1).sqrt()
    torch.testing.assert_close(length, torch.full_like(length, 0.1))
    torch.testing.assert_close(
        updates(Projected(parallel=1.0, limit=50.0), asked, other), asked.mean - other.mean
    )


def test_an_estimate_of_nothing_stays_finite() -> None:
    asked, other = posteriors()
    asked = asked.with_mean(torch.zeros_like(asked.mean))
    assert bool(updates(Projected(), asked, other).isfinite().all())
    assert bool(updates(Projected(limit=0.1), asked, asked).isfinite().all())


def test_momentum_adds_what_was_before() -> None:
    """By hand: u1 = d1, u2 = d2 - 0.5 u1, u3 = d3 - 0.5 u2."""
    rule, carried = Projected(parallel=1.0, momentum=-0.5), torch.zeros(4, 3, 5, dtype=torch.float64)
    for t in (0.9, 0.6, 0.6, 0.2):
        asked, other = posteriors()
        carried = asked.mean - other.mean - 0.5 * carried
        found = updates(rule, asked, other, torch.tensor(t, dtype=torch.float64))
        torch.testing.assert_close(found, carried)


def test_when_noise_rises_the_memory_is_empty_again() -> None:
    rule = Projected(parallel=1.0, momentum=-0.5)
    updates(rule, *posteriors(), torch.tensor(0.4, dtype=torch.float64))
    asked, other = posteriors()
    found = updates(rule, asked, other, torch.tensor(0.9, dtype=torch.float64))
    torch.testing.assert_close(found, asked.mean - other.mean)
    asked, other = posteriors(2)
    found = updates(rule, asked, other, torch.tensor(0.1, dtype=torch.float64))
    torch.testing.assert_close(found, asked.mean - other.mean, msg="another batch is another walk")


@pytest.mark.parametrize("momentum", [-0.5, 0.3])
def test_each_example_has_its_own_memory(momentum: float) -> None:
    """Alone or in a batch, at its own times, and also where guidance was off for it."""
    many, alone = Projected(momentum=momentum), Projected(momentum=momentum)
    times = torch.tensor([[0.9, 0.5], [0.7, 0.8], [0.8, 0.4], [0.3, 0.2]], dtype=torch.float64)
    active = torch.tensor([[True, False], [True, True], [True, True], [False, True]])
    for t, on in zip(times, active, strict=True):
        asked, other = posteriors(2)
        both = many(asked, other, 3.0, t, on).mean
        if not on[1]:
            continue
        one = GaussianPosterior(asked.mean[1:], asked.x_t[1:], asked.alpha, asked.sigma)
        single = alone(one, one.with_mean(other.mean[1:]), 3.0, t[1:], on[1:]).mean
        torch.testing.assert_close(both[1:], single)
