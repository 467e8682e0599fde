"""The chain is the closed form, the SDE has the moments of the formula, four readings are one picture."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.given import process_of, time_at
from unfog.process import DDPM, SCHEDULES, VP, GaussianProcess
from unfog.recipes.explain_readings import (
    READINGS,
    curves,
    drown,
    in_all_words,
    read_in_four_ways,
    spread_of,
    walk_the_chain,
)
from unfog.recipes.explain_subject import ExactSubject
from unfog.recipes.listen import Silent
from unfog.rng import Noise


@pytest.fixture(scope="module")
def exact(shapes):
    return ExactSubject("flow", str(shapes), Silent())


@pytest.mark.parametrize("ratio", [0.1, 1.0, 5.0])
def test_many_small_steps_are_one_large_one(ratio: float) -> None:
    """The noise that the chain added up is standard normal, and it stops as near the level as steps allow."""
    x = Noise(1).normal((4, 1, 32, 32))
    step, noise = walk_the_chain(DDPM(), x, ratio, seed=0)
    assert float(noise.mean()) == pytest.approx(0, abs=4 / math.sqrt(noise.numel()))
    assert float(noise.std()) == pytest.approx(1, abs=4 / math.sqrt(2 * noise.numel()))
    assert abs(float((noise * x).mean())) < 4 / math.sqrt(noise.numel())  # it knows nothing of the picture
    clocks = [float(DDPM().log_ratio(torch.tensor(n / 1000).double())) for n in (step - 1, step, step + 1)]
    off = [abs(clock + math.log(ratio)) for clock in clocks]
    assert off[1] == min(off)


def test_four_readings_are_one_picture(exact: ExactSubject) -> None:
    found = read_in_four_ways(exact, seed=0)
    assert [row.name for row in found.rows] == list(READINGS)
    assert abs(found.decibels) < 0.1
    for row in found.rows:
        assert 20 * math.log10(row.alpha / row.sigma) == pytest.approx(found.decibels, abs=1e-4)
        assert row.difference < 1e-5 and row.recovered < 1e-4
        assert (row.scaled.astype(int) - found.rows[0].scaled <= 1).all()
        assert row.sizes["score"] == pytest.approx(row.sizes["noise"] / row.sigma, rel=1e-4)
    assert (found.rows[1].as_is != found.rows[3].as_is).any()
    assert found.rungs[3] == pytest.approx(1, abs=0.01) and len(found.ladder) == len(found.rungs)
    assert list(found.quantities) == ["noise", "score", "clean", "velocity"]


@pytest.mark.parametrize("schedule", list(SCHEDULES))
def test_true_data_gives_true_words(schedule: str) -> None:
    """With the clean data as the estimate, the words are the noise that was mixed in, and what follows."""
    process = process_of(schedule)
    t = time_at(process, 0.3)
    x, e = Noise(1).normal((2, 5)).double(), Noise(2).normal((2, 5)).double()
    words = in_all_words(process, process.mix(x, e, t), x, t)
    (_, sigma), (alpha_rate, sigma_rate) = process.scales(t), process.rates(t)
    assert torch.allclose(words["noise"], e)
    assert torch.allclose(words["score"], -e / sigma)
    assert torch.allclose(words["clean"], x)
    assert torch.allclose(words["velocity"], alpha_rate * x + sigma_rate * e)


def test_the_page_says_what_was_simulated(exact: ExactSubject) -> None:
    wander = read_in_four_ways(exact, seed=0).wander
    drift, diffusion = GaussianProcess(VP()).drift_and_diffusion(VP().time(torch.tensor(0.0).double()))
    assert wander.drift == pytest.approx(float(drift), rel=0.01)
    assert wander.diffusion == pytest.approx(float(diffusion), rel=0.01)
    # four standard errors of 4,000 walkers, and a hundredth for the length of the moves
    assert wander.walked[0] == pytest.approx(wander.formula[0], abs=4 * wander.formula[1] / 4000**0.5 + 0.01)
    assert wander.walked[1] == pytest.approx(wander.formula[1], rel=4 / 8000**0.5 + 0.01)
    assert wander.paths[:, 0] == pytest.approx(float(exact.shown.x[0].max()))
    assert wander.band.shape == (3, len(wander.t)) and (wander.band[1] <= wander.band[2]).all()


def test_a_picture_drowns(exact: ExactSubject) -> None:
    found = drown(exact, seed=0)
    clean = exact.to_pictures(exact.shown.x[:1])[0].astype(float)
    assert (found.pictures[0] == clean).all()
    off = [float(np.abs(picture - clean).mean()) for picture in found.pictures]
    assert off == sorted(off)
    assert found.alpha[0] == 1 and found.sigma[-1] == 1


@pytest.mark.parametrize("schedule", list(SCHEDULES))
def test_curves_are_those_of_the_schedule(schedule: str) -> None:
    process = process_of(schedule)
    found = curves(process, 11)
    assert found.alpha[5] == float(process.scales(0.5)[0]) and found.sigma[5] == float(process.scales(0.5)[1])
    assert (np.diff(found.log_ratio[1:-1]) < 0).all()
    assert spread_of(process, 0.5) == pytest.approx(math.hypot(found.alpha[5], found.sigma[5]))
