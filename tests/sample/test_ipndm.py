"""iPNDM: the four Adams-Bashforth formulas of equal steps."""

from __future__ import annotations

import pytest
import torch

from tests.given import process_of
from unfog.denoise import ExactMixture
from unfog.sample import DDIM, DPMSolver2M
from unfog.sample.ipndm import IPNDM, WEIGHTS

from .conftest import go


def test_the_weights_are_adams_and_bashforths() -> None:
    """Each formula integrates all polynomials below its length over one step of length 1."""
    for weights in WEIGHTS:
        for power in range(len(weights)):
            found = sum(w * (-k) ** power for k, w in enumerate(weights))
            assert found == pytest.approx(1 / (power + 1))


def test_with_equal_steps_of_the_ratio_it_is_of_high_order() -> None:
    """On such a grid its formulas are right, and it beats second order by far."""
    process = process_of("ve")
    exact = ExactMixture(process, torch.tensor([[-1.0], [1.0]]).double(), 0.5)
    x = torch.tensor([[2.0], [0.4], [-1.3]], dtype=torch.float64)

    def end(sampler, steps):
        ratios = torch.linspace(3.0, 1.0, steps + 1, dtype=torch.float64)
        return go(exact, sampler, process.schedule.time(-ratios.log()), x)

    truth = end(IPNDM(), 2000)
    assert float((end(IPNDM(), 40) - truth).abs().max()) < 1e-4
    error, double = (float((end(IPNDM(), steps) - truth).abs().max()) for steps in (40, 80))
    assert double < float((end(DDIM(), 80) - truth).abs().max()) / 20
    assert double < error / 3.5
    torch.testing.assert_close(end(DPMSolver2M(), 2000), truth, rtol=1e-5, atol=1e-5)
