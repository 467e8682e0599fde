"""Predictor-corrector: its corrector repairs what the predictor left."""

from __future__ import annotations

import torch

from tests.given import process_of
from unfog.condition import NONE
from unfog.denoise import ExactGaussian
from unfog.rng import Noise
from unfog.sample import DDPM, PredictorCorrector
from unfog.sample.langevin import langevin_step
from unfog.verify.check import MEAN, STD, inner_grid, marginal
from unfog.verify.samplers import chain_moments

from .conftest import Constant, go


def test_it_is_ancestral_sampling_and_then_langevin() -> None:
    process = process_of("vp")
    exact = ExactGaussian(process, MEAN, STD)
    grid, x = torch.tensor([0.6, 0.4], dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    between = go(exact, DDPM(), grid, x, Constant(1.0))
    expected = langevin_step(exact, between, grid[1], 2 * 0.16**2, NONE, Constant(1.0))
    torch.testing.assert_close(go(exact, PredictorCorrector(), grid, x, Constant(1.0)), expected)


def test_it_is_nearer_to_the_truth_than_its_predictor() -> None:
    process = process_of("cosine")
    grid = inner_grid(process, 20)
    truth = marginal(process, grid[-1])[1]
    alone, corrected = (
        abs(chain_moments(process, kind, grid)[1] / truth - 1) for kind in (DDPM(), PredictorCorrector(0.4))
    )
    assert corrected < 0.9 * alone


def test_the_end_is_not_corrected() -> None:
    process = process_of("cosine")
    exact = ExactGaussian(process, MEAN, STD)
    grid, x = torch.tensor([0.2, 0.0], dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(go(exact, PredictorCorrector(), grid, x, Noise(1)), exact(x, grid[0]).mean)
