"""Rescaled guidance has the contrast of the estimate that was asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.given import process_of, time_at
from tests.guide.test_classifier_free import ANYTHING, TwoGaussians, say
from unfog.guide import ClassifierFree, rescaled
from unfog.process import SCHEDULES


def test_the_standard_deviation_is_that_of_the_asked_one() -> None:
    """Each example has its own; numpy counts."""
    asked, guided = torch.randn(4, 3, 8, 8) * torch.arange(1.0, 5.0).view(4, 1, 1, 1), torch.randn(4, 3, 8, 8)
    found = rescaled(9 * guided, asked, 1.0).numpy()
    for mine, wanted in zip(found, asked.numpy(), strict=True):
        assert np.std(mine) == pytest.approx(np.std(wanted), rel=1e-5)


def test_in_between_it_is_a_mix_of_both() -> None:
    asked, guided = torch.randn(2, 5), torch.randn(2, 5)
    mixed = 0.7 * rescaled(guided, asked, 1.0) + 0.3 * guided
    torch.testing.assert_close(rescaled(guided, asked, 0.7), mixed)
    assert torch.equal(rescaled(guided, asked, 0.0), guided)


def test_a_flat_estimate_stays_finite() -> None:
    assert bool(rescaled(torch.zeros(2, 5), torch.randn(2, 5), 1.0).isfinite().all())


def test_a_neighbour_changes_nothing() -> None:
    asked, guided = torch.randn(3, 5), torch.randn(3, 5)
    torch.testing.assert_close(rescaled(guided, asked, 0.7)[:1], rescaled(guided[:1], asked[:1], 0.7))


@pytest.mark.parametrize("rescale", [0.5, 1.0])
def test_it_is_the_same_on_every_schedule(rescale: float) -> None:
    """At one noise level the same data, seen in any schedule's scale, gives the same clean estimate."""
    y, found = torch.randn(4, 6, dtype=torch.float64), []
    for schedule in SCHEDULES:
        process = process_of(schedule)
        t = time_at(process, 0.3)
        x_t = process.scales(t)[0] * y
        guided = ClassifierFree(TwoGaussians(process), say(4, ANYTHING), 5.0, rescale=rescale)
        found.append(guided(x_t, t, say(4)).mean)
    for other in found[1:]:
        torch.testing.assert_close(other, found[0])
